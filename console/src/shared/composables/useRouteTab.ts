import { computed } from "vue";
import { useRoute, useRouter } from "vue-router";

/** The tab that the address names; the first of a page stands without a name. */
export function useRouteTab(page: string, first = "list") {
  const route = useRoute();
  const router = useRouter();
  return computed({
    get: () => String(route.params["tab"] || first),
    set: (next) => void router.replace({ name: page, params: next === first ? {} : { tab: next } }),
  });
}
