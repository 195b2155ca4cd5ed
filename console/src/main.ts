import "element-plus/dist/index.css";
import "element-plus/theme-chalk/dark/css-vars.css";
import "@/styles/tokens.css";
import "@/styles/base.css";

import { createPinia } from "pinia";
import { createApp } from "vue";

import App from "@/features/shell/App.vue";
import { i18n } from "@/locales";
import { makeRouter } from "@/router";

createApp(App).use(createPinia()).use(i18n).use(makeRouter()).mount("#app");
