// The templates that come with the dashboard.
import { probe } from "./probe";
import { rover } from "./rover";
import { satellite } from "./satellite";
import { station } from "./station";
import type { Template } from "./template";

export const TEMPLATES: readonly Template[] = [satellite, rover, probe, station];
