// Waiting for states, never for a time.
import { setTimeout as pause } from "node:timers/promises";

/** Short enough not to be felt, long enough not to load the machine. */
const LOOK_EVERY_MS = 50;

/** Asks again and again until the answer is neither null nor false, or names what was waited for. */
export async function until(what, patienceMs, look) {
  const deadline = performance.now() + patienceMs;
  let seen;
  for (;;) {
    seen = await look();
    if (seen !== null && seen !== undefined && seen !== false) return seen;
    if (performance.now() > deadline) throw new Error(`waited ${patienceMs / 1000} s in vain for: ${what}`);
    await pause(LOOK_EVERY_MS);
  }
}
