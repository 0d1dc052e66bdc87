// One moment that all charts of a page point at: the pointer's, or where the arrow keys have gone.
import { create } from "zustand";

export interface SharedCursor {
  /** Unix milliseconds. */
  time: number | null;
  point: (time: number | null) => void;
}

export const useSharedCursor = create<SharedCursor>((set) => ({
  time: null,
  point: (time) => set({ time }),
}));
