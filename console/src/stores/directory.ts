import { defineStore } from "pinia";
import { computed, ref, shallowRef } from "vue";

import type { CalendarView, SkillView, TeamView, TicketCategoryView } from "@/api/cases";
import * as service from "@/api/service";
import { ticketCategories } from "@/api/tickets";
import { showRefusal } from "@/shared/composables/useTask";

/** Short lists that many forms choose from; fetched when first needed, again after a change. */
export const useDirectory = defineStore("directory", () => {
  const teams = shallowRef<readonly TeamView[]>([]);
  const categories = shallowRef<readonly TicketCategoryView[]>([]);
  const calendars = shallowRef<readonly CalendarView[]>([]);
  const skills = shallowRef<readonly SkillView[]>([]);
  const isLoaded = ref(false);
  let underWay: Promise<void> | null = null;

  const activeTeams = computed(() => teams.value.filter((team) => team.is_active));
  const activeCategories = computed(() => categories.value.filter((category) => category.is_active));

  async function refresh(): Promise<void> {
    const [t, k, c, s] = await Promise.all([
      service.teams(),
      ticketCategories(),
      service.calendars(),
      service.skills(),
    ]);
    teams.value = t.items;
    categories.value = k.items;
    calendars.value = c.items;
    skills.value = s.items;
    isLoaded.value = true;
  }

  /** Once per page, however many forms ask. */
  function ensure(): Promise<void> {
    if (isLoaded.value) return Promise.resolve();
    underWay ??= refresh()
      .catch(showRefusal)
      .finally(() => {
        underWay = null;
      });
    return underWay;
  }

  return { teams, categories, calendars, skills, activeTeams, activeCategories, isLoaded, ensure, refresh };
});
