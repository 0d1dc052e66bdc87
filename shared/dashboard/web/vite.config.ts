import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { manualPlugin } from "./scripts/manual.mjs";

// The binaries answer with the same policy; a build that breaks it must fail here first.
const POLICY =
  "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; " +
  "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

export default defineConfig({
  plugins: [react(), manualPlugin()],
  server: {
    port: 5173,
    proxy: { "/api": { target: "http://127.0.0.1:8080", ws: true, changeOrigin: true } },
  },
  preview: { headers: { "Content-Security-Policy": POLICY } },
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    emptyOutDir: true,
    modulePreload: { polyfill: false },
  },
  test: {
    restoreMocks: true,
    // Time inside the tests is theirs; this one only bounds a busy machine.
    testTimeout: 120_000,
    // Vitest gives a worker 60 s to start and cannot be told otherwise. A process for each file missed that on a
    // machine that was busy compiling, and its tests were not run: threads start faster, and logic needs only one.
    pool: "threads",
    projects: [
      {
        extends: true,
        test: {
          name: "pages",
          include: ["src/**/*.test.tsx"],
          environment: "happy-dom",
          setupFiles: ["src/test/setup.ts"],
        },
      },
      {
        extends: true,
        test: {
          name: "logic",
          include: ["src/**/*.test.ts", "browser/**/*.test.mjs"],
          environment: "node",
          isolate: false,
        },
      },
    ],
  },
});
