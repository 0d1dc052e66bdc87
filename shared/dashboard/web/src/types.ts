// Short names for the contract's types, so that contract.ts can be generated again at any time.
import type { components } from "./contract";

type Schemas = components["schemas"];

/** What a telemetry value is in JSON; the generator knows only that it may be anything. */
export type Value = boolean | number | string | null;
export type Sample = Omit<Schemas["Sample"], "engineering" | "raw"> & { engineering: Value; raw: Value };

type WithSamples<T> = T extends { samples: unknown[] } ? Omit<T, "samples"> & { samples: Sample[] } : T;
export type Latest = Omit<Schemas["Latest"], "values"> & { values: Sample[] };
export type LiveEvent = WithSamples<Schemas["LiveEvent"]>;
export type Page = WithSamples<Schemas["Page"]>;
export type Samples = WithSamples<Schemas["Samples"]>;

export type Alarm = Schemas["Alarm"];
export type AlarmAct = Schemas["AlarmAct"];
export type AlarmActRequest = Schemas["AlarmActRequest"];
export type AlarmEntry = Schemas["AlarmEntry"];
export type AlarmHistory = Schemas["AlarmHistory"];
export type AlarmSeverity = Schemas["AlarmSeverity"];
export type Alarms = Schemas["Alarms"];
export type AlarmState = Schemas["AlarmState"];
export type Backlog = Schemas["Backlog"];
export type Buckets = Schemas["Buckets"];
export type LinkReport = Schemas["LinkReport"];
/** What this page asks for; programs open subscriptions by name. */
export type LiveRequest = Extract<Schemas["LiveRequest"], { kind: "subscribe" }>;
export type Mission = Schemas["Mission"];
export type Missions = Schemas["Missions"];
export type Monitoring = Schemas["Monitoring"];
export type Node = Schemas["Node"];
export type NodeReport = Schemas["NodeReport"];
export type NodeState = Schemas["NodeState"];
export type Nodes = Schemas["Nodes"];
export type ParameterDescription = Schemas["ParameterDescription"];
export type ParameterKind = Schemas["ParameterKind"];
export type Parameters = Schemas["Parameters"];
export type Problem = Schemas["Problem"];
export type Server = Schemas["Server"];
export type Session = Schemas["Session"];
export type Validity = Schemas["Validity"];
