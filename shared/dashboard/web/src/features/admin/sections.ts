// The parts of administration.
export const SECTIONS = {
  nodes: "Nodes",
  "api-tokens": "API tokens",
  people: "People",
  missions: "Missions",
  dictionaries: "Dictionaries",
  hub: "Hub",
} as const;

export type Section = keyof typeof SECTIONS;

export function isSection(value: string): value is Section {
  return Object.hasOwn(SECTIONS, value);
}
