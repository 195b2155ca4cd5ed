/** Stays at the end while one reads the end, stays in place while older lines arrive above. */
import { nextTick, onMounted, ref, watch, type Ref } from "vue";

import type { Line } from "../timeline";

const NEAR_PX = 80;

export function useScroll(
  box: Readonly<Ref<HTMLElement | undefined>>,
  lines: Readonly<Ref<readonly Line[]>>,
  hasOlder: Readonly<Ref<boolean>>,
  fetchOlder: () => Promise<void>,
) {
  /** Lines that came while one was reading further up. */
  const below = ref(0);
  const isFetching = ref(false);
  let isAtEnd = true;

  const last = (): string => lines.value.at(-1)?.key ?? "";
  const isOwn = (): boolean => {
    const line = lines.value.at(-1);
    return line?.kind === "message" && line.message.sender === "servicer" && line.message.delivery === "pending";
  };

  function toBottom(): void {
    isAtEnd = true;
    below.value = 0;
    void nextTick(() => box.value?.scrollTo({ top: box.value.scrollHeight }));
  }

  watch(last, (_now, before) => {
    if (isAtEnd || before === "" || isOwn()) toBottom();
    else below.value += 1;
  });
  onMounted(() => {
    toBottom();
    const element = box.value;
    if (!element) return;
    element.addEventListener("load", () => isAtEnd && toBottom(), true);
    new ResizeObserver(() => isAtEnd && toBottom()).observe(element);
  });

  async function onScroll(): Promise<void> {
    const element = box.value;
    if (!element) return;
    isAtEnd = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_PX;
    if (isAtEnd) below.value = 0;
    if (element.scrollTop < NEAR_PX && hasOlder.value && !isFetching.value) await older(element);
  }

  async function older(element: HTMLElement): Promise<void> {
    isFetching.value = true;
    const fromEnd = element.scrollHeight - element.scrollTop;
    try {
      await fetchOlder();
      await nextTick();
      element.scrollTop = element.scrollHeight - fromEnd;
    } finally {
      isFetching.value = false;
    }
  }

  return { below, toBottom, onScroll, isFetching };
}
