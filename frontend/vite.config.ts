/** How the web application is built: everything relative, so that it works below any path prefix. */

import vue from "@vitejs/plugin-vue";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

import { de } from "./src/messages/de";
import { en } from "./src/messages/en";
import { fr } from "./src/messages/fr";
import { faults } from "./src/messages/faults";

/** Stops the build when a language lacks a message or names other placeholders than the English one. */
function messagesComplete(): Plugin {
  return {
    name: "messages-complete",
    buildStart() {
      const found = [...faults(en, de, "de"), ...faults(en, fr, "fr")];
      if (found.length > 0) this.error(found.join("\n"));
    },
  };
}

export default defineConfig({
  base: "./",
  plugins: [vue(), messagesComplete()],
  define: { __VUE_OPTIONS_API__: "false", __VUE_PROD_DEVTOOLS__: "false" },
  build: {
    outDir: "../src/wattstead/web/static",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: { proxy: { "/api": { target: process.env.WATTSTEAD_URL ?? "http://127.0.0.1:8080", changeOrigin: false } } },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
});
