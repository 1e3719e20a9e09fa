/** How the web application is built: everything relative, so that it works below any path prefix. */

import vue from "@vitejs/plugin-vue";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

import { ENGLISH, FRENCH, GERMAN } from "./src/messages/all.ts";
import { faults } from "./src/messages/faults.ts";

/** Stops the build when a language lacks a message or names other placeholders than the English one. */
function messagesComplete(): Plugin {
  return {
    name: "messages-complete",
    buildStart() {
      const found = [...faults(ENGLISH, GERMAN, "de"), ...faults(ENGLISH, FRENCH, "fr")];
      if (found.length > 0) this.error(found.join("\n"));
    },
  };
}

/** With one style sheet and no preloading Vite's loader has nothing to do but to load. */
function plainImports(): Plugin {
  return {
    name: "plain-imports",
    enforce: "pre",
    load: (id) => (id.includes("vite/preload-helper") ? "export const __vitePreload = (load) => load();" : null),
  };
}

export default defineConfig({
  base: "./",
  plugins: [vue(), messagesComplete(), plainImports()],
  define: { __VUE_OPTIONS_API__: "false", __VUE_PROD_DEVTOOLS__: "false" },
  build: {
    outDir: "../src/wattstead/web/static",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: false,
    cssCodeSplit: false,
    reportCompressedSize: false,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: "frame", test: /node_modules.(vue|@vue|vue-router)|src.(main|App|api.(client|questions|live)|state|messages.index|router|format|time|parts.(Icon|Trouble|PageHead|OfflineBar))/ },
            { name: "chart", test: /src.(chart.(?!bars|gestures)|pages.home.LiveChart|view.(parts|units))/ },
          ],
        },
      },
    },
  },
  server: { proxy: { "/api": { target: process.env.WATTSTEAD_URL ?? "http://127.0.0.1:8086", changeOrigin: false } } },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
});
