import type { Plugin } from "vite";
import type { ManualPart, ManualSection, Part } from "../src/features/help/manual";

export function manual(docs?: string): Map<string, unknown>;
export function manualPlugin(): Plugin;
export function readSummary(text: string): ManualPart[];
export function makePage(
  name: string,
  text: string,
): { tree: Part[]; sections: Pick<ManualSection, "heading" | "id" | "text">[] };
