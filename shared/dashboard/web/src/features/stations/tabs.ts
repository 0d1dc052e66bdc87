// The parts of a node's page.
export const TABS = {
  health: "Health",
  backlog: "Backlog",
  gaps: "Gaps",
  passes: "Passes",
  configuration: "Configuration",
  events: "Events",
  actions: "Actions",
} as const;

export type Tab = keyof typeof TABS;
