// The handbook as the bundle has it: see scripts/manual.mjs.
import { queryOptions } from "@tanstack/react-query";
import { request } from "../../api/client";

/** Text, or an element with its attributes and what is in it. */
export type Part = string | [tag: string, attributes: Record<string, string> | null, ...children: Part[]];

export interface ManualPage {
  name: string;
  title: string;
  depth: number;
}

export interface ManualPart {
  title: string;
  pages: ManualPage[];
}

export interface ManualSection {
  page: string;
  title: string;
  id: string;
  heading: string;
  text: string;
}

function fileQuery<T>(name: string) {
  return queryOptions({
    queryKey: ["manual", name],
    queryFn: () => request<T>("GET", `/manual/${name}.json`),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export const manualIndexQuery = fileQuery<ManualPart[]>("index");
export const manualSearchQuery = fileQuery<ManualSection[]>("search");
export const manualPageQuery = (name: string) => fileQuery<Part[]>(name);

const EXCERPT = 180;

export interface Found extends ManualSection {
  excerpt: string;
}

/** Sections with all words; those with the words in their heading first. */
export function searchManual(sections: readonly ManualSection[], words: string, most = 40): Found[] {
  const parts = words.toLowerCase().split(/\s+/).filter(Boolean);
  if (parts.length === 0) return [];
  const found = sections.flatMap((section) => {
    const heading = section.heading.toLowerCase();
    const text = section.text.toLowerCase();
    if (!parts.every((part) => heading.includes(part) || text.includes(part))) return [];
    const first = Math.max(0, Math.min(...parts.map((part) => place(text, part))) - 40);
    const excerpt = `${first > 0 ? "… " : ""}${section.text.slice(first, first + EXCERPT).trim()}`;
    const inHeading = parts.filter((part) => heading.includes(part)).length;
    return [{ ...section, excerpt, inHeading }];
  });
  return found.toSorted((a, b) => b.inHeading - a.inHeading).slice(0, most);
}

function place(text: string, part: string): number {
  const at = text.indexOf(part);
  return at === -1 ? text.length : at;
}
