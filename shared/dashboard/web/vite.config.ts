import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// The binaries answer with the same policy; a build that breaks it must fail here first.
const POLICY =
  "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; " +
  "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

export default defineConfig({
  plugins: [react()],
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
    environment: "happy-dom",
    setupFiles: ["src/test/setup.ts"],
    restoreMocks: true,
    // Time inside the tests is theirs; this one only bounds a busy machine.
    testTimeout: 30_000,
  },
});
