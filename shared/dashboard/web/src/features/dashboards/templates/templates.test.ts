import { expect, test } from "vitest";
import { definitions } from "../../../mock/parameters";
import type { ParameterDescription, ParameterKind } from "../../../types";
import { overlap } from "../layout/grid";
import { problemOf } from "../layout/opts";
import { kindOf } from "../widgets/kinds";
import { guessRoles } from "./guess";
import { widgetsOf } from "./template";
import { TEMPLATES } from "./templates";

const parameter = (
  name: string,
  unit: string | null,
  kind: ParameterKind = "float",
): ParameterDescription => ({
  name,
  short_name: name.slice(name.lastIndexOf("/") + 1),
  description: null,
  unit,
  kind,
  labels: [],
});
const [satellite] = TEMPLATES;
if (satellite === undefined) throw new Error("there are no templates");
const guessed = (...parameters: ParameterDescription[]) =>
  Object.fromEntries([...guessRoles(satellite, parameters)].map(([role, guess]) => [role, guess.parameter]));

test.each(TEMPLATES.map((template) => [template.name, template] as const))(
  "the template %s has about twenty roles, and its widgets ask for no other",
  (_, template) => {
    expect(template.roles.length).toBeGreaterThanOrEqual(18);
    const roles = template.roles.map(({ role }) => role);
    expect(new Set(roles).size).toBe(roles.length);
    expect(
      template.widgets.flatMap((widget) => widget.roles).filter((role) => !roles.includes(role)),
    ).toEqual([]);
    const used = new Set(template.widgets.flatMap((widget) => widget.roles));
    expect(roles.filter((role) => !used.has(role))).toEqual([]);
  },
);

test.each(TEMPLATES.map((template) => [template.name, template] as const))(
  "the template %s makes widgets that can be shown, none over another, whatever a mission lacks",
  (_, template) => {
    const whole = Object.fromEntries(template.roles.map(({ role }) => [role, `/x/${role}`]));
    const [first] = template.roles;
    for (const mapping of [whole, {}, { [first?.role ?? ""]: "/x/only" }]) {
      const widgets = widgetsOf(template, mapping);
      for (const [index, widget] of widgets.entries()) {
        expect(problemOf(kindOf(widget.kind)?.fields ?? [], widget.opts)).toBeNull();
        expect(widgets.slice(index + 1).some((other) => overlap(widget, other))).toBe(false);
      }
    }
    expect(widgetsOf(template, whole)).toHaveLength(template.widgets.length);
  },
);

test("roles are guessed by the words of names and by units, and the reason is said", () => {
  const guesses = guessRoles(
    satellite,
    definitions()
      .get("aurora-1")
      ?.map((p) => p.description) ?? [],
  );
  expect(guesses.get("battery-voltage")).toEqual({
    parameter: "/aurora/eps/battery_voltage",
    reason: "“battery” in its name, “voltage” in its name, unit V",
  });
  expect(guesses.get("rate-x")?.parameter).toBe("/aurora/adcs/rate_x");
  expect(guesses.get("attitude-mode")?.parameter).toBe("/aurora/adcs/mode");
  expect(guesses.get("lock")?.parameter).toBe("/aurora/comms/lock");
});

test("names in other spellings are found", () => {
  expect(guessed(parameter("/EPS/BattVolt", "mV"), parameter("/EPS/BattTemp", "degC"))).toMatchObject({
    "battery-voltage": "/EPS/BattVolt",
    "battery-temperature": "/EPS/BattTemp",
  });
});

test("a unit of another quantity and another kind speak against a parameter", () => {
  expect(guessed(parameter("/eps/battery/voltage_raw", "count"))["battery-voltage"]).toBe(
    "/eps/battery/voltage_raw",
  );
  expect(
    guessed(parameter("/eps/battery/voltage_raw", "count"), parameter("/eps/battery/voltage", "V"))[
      "battery-voltage"
    ],
  ).toBe("/eps/battery/voltage");
  expect(
    guessed(parameter("/eps/battery_voltage_state", null, "enumeration"))["battery-voltage"],
  ).toBeUndefined();
});

test("one parameter has one role, and a mission with none of them gets no guesses", () => {
  const guesses = guessed(parameter("/panel/temperature_1", "°C"));
  expect(Object.values(guesses)).toEqual(["/panel/temperature_1"]);
  expect(guessed(parameter("/a/b/c", null))).toEqual({});
});

test("ten thousand parameters with names of 300 characters are guessed through", () => {
  const many = Array.from({ length: 10_000 }, (_, n) => parameter(`/s/${"long_".repeat(58)}${n}`, "V"));
  expect(guessed(...many, parameter("/eps/battery_voltage", "V"))["battery-voltage"]).toBe(
    "/eps/battery_voltage",
  );
});
