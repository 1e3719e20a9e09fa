/** Starts the application: words first, then the first screen. */

import { createApp } from "vue";

import App from "./App.vue";
import { speakAsChosen } from "./messages";
import { router } from "./router";
import "./styles/tokens.css";
import "./styles/page.css";

const words = speakAsChosen();
/** The router begins to ask who is here and to load the screen while the words are on their way. */
const app = createApp(App).use(router);
await words;
app.mount("#app");
