import { computed, ref } from "vue";

const KEY = "wenqu.theme";
const isDarkNow = ref(localStorage.getItem(KEY) === "dark");

function show(): void {
  document.documentElement.classList.toggle("dark", isDarkNow.value);
}

export const isDark = computed({
  get: () => isDarkNow.value,
  set: (next) => {
    isDarkNow.value = next;
    localStorage.setItem(KEY, next ? "dark" : "light");
    show();
  },
});

show();
