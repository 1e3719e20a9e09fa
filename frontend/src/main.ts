/** Starts the application: words first, then the first screen. */

import { createApp } from "vue";

import App from "./App.vue";
import { speakAsChosen } from "./messages";
import { router } from "./router";
import "./styles/tokens.css";
import "./styles/page.css";

await speakAsChosen();
createApp(App).use(router).mount("#app");
