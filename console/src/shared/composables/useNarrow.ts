import { onScopeDispose, ref, type Ref } from "vue";

/** True while the window is at most `width` pixels wide. */
export function useNarrow(width = 760): Readonly<Ref<boolean>> {
  const query = window.matchMedia(`(max-width: ${width}px)`);
  const isNarrow = ref(query.matches);
  const follow = (): void => {
    isNarrow.value = query.matches;
  };
  query.addEventListener("change", follow);
  onScopeDispose(() => query.removeEventListener("change", follow));
  return isNarrow;
}
