import "./phone.css";

import { createApp } from "vue";

import PhoneApp from "./PhoneApp.vue";

createApp(PhoneApp).mount("#app");
