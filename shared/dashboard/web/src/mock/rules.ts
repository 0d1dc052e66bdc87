// The rules, deliveries and models of the first mock mission.
import type { AlarmDelivery, AlarmRules, AlarmRulesInForce, DetectionModels, RulesProblem } from "../types";
import { type MockRequest, type MockRoute, problem, stateOf } from "./answers";
import { detectionRulesOf, readDetectionRules } from "./detectionRules";
import { documentVersion, MockVersions, mistakes } from "./rulesDocument";
import type { MockWorld } from "./world";

const FIRST_TEXT = `version = 3                       # count it up with each change
related_window = "60 s"

[[rule]]
name = "battery"
parameters = ["/aurora/eps/battery_*"]
severity = "critical"
related = "power"
ladder = "power"

# Kari is at the station in summer only.
[[contact]]
name = "kari"
email = "kari@station.example"

[[contact]]
name = "duty system"
webhook = "duty"

[[on_call]]
name = "ops"
shifts = [{ when = "Mon-Fri 08:00-18:00", contacts = ["kari"] }]
otherwise = ["duty system"]

[[ladder]]
name = "power"
at_least = "critical"
steps = [{ to = ["on-call:ops"] }, { after = "5 min", to = ["kari", "duty system"] }]
repeat_every = "30 min"
repeat_times = 4
`;

export class MockRules extends MockVersions {
  readonly deliveries: AlarmDelivery[];

  constructor(world: MockWorld) {
    super(world, unquotedNames);
    this.save(
      FIRST_TEXT.replace("version = 3 ", "version = 2 ").replace('"critical"\nrelated', '"warning"\nrelated'),
      "first rules",
      "Ada",
    );
    this.save(FIRST_TEXT, "the battery is critical since the eclipse season", "Kari");
    this.deliveries = [
      this.delivery({ minutes: 1, state: "waiting", contact: "kari", channel: "email", attempts: 0 }),
      this.delivery({
        minutes: 6,
        state: "failed",
        contact: "duty system",
        channel: "webhook",
        attempts: 29,
        problem: "the receiver answered 410 Gone (STO-NOTIFY-REFUSED)",
      }),
      this.delivery({
        minutes: 11,
        state: "sent",
        contact: "duty system",
        channel: "webhook",
        attempts: 1,
        answer: "<b>taken</b>",
      }),
    ];
  }

  list(): AlarmRules {
    return { in_force: readAlarmRules(this.newest.text), versions: this.versions };
  }

  test(contact: string): AlarmDelivery | null {
    if (!this.newest.text.includes(`name = "${contact}"`)) return null;
    const sent = this.delivery({
      minutes: 0,
      state: "sent",
      contact,
      channel: "email",
      attempts: 1,
      answer: "250 queued",
    });
    const test = { ...sent, alarm: null };
    this.deliveries.unshift(test);
    return test;
  }

  private delivery(
    of: Pick<AlarmDelivery, "attempts" | "channel" | "contact" | "state"> & {
      minutes: number;
      problem?: string;
      answer?: string;
    },
  ): AlarmDelivery {
    const { minutes, problem: why, answer, ...rest } = of;
    const due = new Date(this.world.now() - minutes * 60_000).toISOString();
    return {
      ...rest,
      id: `d${minutes}${of.contact}`.padEnd(32, "0"),
      alarm: `a${"2".repeat(31)}`,
      due,
      last_attempt: of.attempts > 0 ? due : null,
      answer: answer ?? null,
      problem: why ?? null,
    };
  }
}

function unquotedNames(text: string): RulesProblem[] {
  return mistakes(text, /^name = [^"\s]/, 8, "expected a text in quotation marks");
}

function readAlarmRules(text: string): AlarmRulesInForce {
  return {
    document_version: documentVersion(text),
    rules: [...text.matchAll(/^\[\[rule\]\]\nname = "([^"]*)"/gm)].map((match) => match[1] ?? ""),
    problems: unquotedNames(text),
  };
}

export const rulesOf = stateOf((world) => new MockRules(world));

const MODELS: DetectionModels = {
  models: [
    {
      kind: "forecaster",
      number: 3,
      parameters: ["/aurora/adcs/wheel_1_speed"],
      trained_at: "2026-11-20T04:12:00Z",
      trained_on: "a month of nominal operation",
    },
  ],
};

export const answerRules: MockRoute = (request) => {
  const [missions, mission, leaf] = request.path;
  if (missions !== "missions" || leaf === undefined || !(leaf in ANSWERS)) return null;
  const answer = ANSWERS[leaf as keyof typeof ANSWERS];
  return mission === "aurora-1"
    ? answer(request, rulesOf(request.world))
    : problem(404, "STO-ALARM-NONE", "This server looks after no alarms of the mission", "None is known.");
};

const ANSWERS = {
  "alarm-deliveries": ({ url }: MockRequest, rules: MockRules) => {
    const alarm = url.searchParams.get("alarm");
    const wanted = rules.deliveries.filter((one) => alarm === null || one.alarm === alarm);
    return Response.json({ deliveries: wanted, next: null });
  },
  "alarm-rules": (request: MockRequest, rules: MockRules) =>
    rules.answer(request, () => rules.list(), readAlarmRules),
  "alarm-tests": ({ body }: MockRequest, rules: MockRules) => {
    const sent = rules.test(JSON.parse(body ?? "{}").contact);
    return sent === null
      ? problem(404, "STO-ALARM-CONTACT", "There is no such contact", "Contacts are in the rules in force.")
      : Response.json(sent);
  },
  "detection-rules": (request: MockRequest) => {
    const rules = detectionRulesOf(request.world);
    return rules.answer(request, () => rules.list(), readDetectionRules);
  },
  models: () => Response.json(MODELS),
};
