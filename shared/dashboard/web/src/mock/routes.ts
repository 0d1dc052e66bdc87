// All that the mock server answers beside sessions, missions, nodes, parameters and samples.
import { answerAdmin } from "./admin";
import { answerAlarms } from "./alarms";
import { answerAligned } from "./aligned";
import type { MockRoute } from "./answers";
import { answerCompleteness } from "./completeness";
import { answerDashboards } from "./dashboards";
import { answerEvents } from "./events";
import { answerFleet } from "./fleet";
import { answerLimits } from "./limits";
import { answerManual } from "./manual";
import { answerPackets } from "./packets";
import { answerPasses } from "./passes";
import { answerRules } from "./rules";
import { answerStatistics } from "./statistics";

export const ROUTES: readonly MockRoute[] = [
  answerAdmin,
  answerAlarms,
  answerAligned,
  answerCompleteness,
  answerDashboards,
  answerEvents,
  answerLimits,
  answerManual,
  answerPackets,
  answerPasses,
  answerRules,
  answerStatistics,
  answerFleet,
];
