// One visit of a browser to one server: what a person does and sees there, and a record of what must not happen.
import { until } from "./wait.mjs";

/** Chromium's remark on drawing a globe without a graphics card, and not on the page. */
const WITHOUT_A_CARD = "GL Driver Message (OpenGL, Performance";
/** A slow machine draws late; what is not there by then does not come. */
const WITHIN_MS = 30_000;

export class Visit {
  #pictures = 0;
  #folder;
  /** Answers and complaints that a check announced: `text` must occur in them. */
  #expected = [WITHOUT_A_CARD];
  /** Requests to anyone but the server, breaches of the content security policy, errors in the console. */
  problems = [];

  /** `folder`: where pictures go, if any are taken. */
  static async open(browser, host, { folder, viewport = { width: 1440, height: 900 } }) {
    const context = await browser.newContext({ colorScheme: "dark", viewport });
    context.setDefaultTimeout(WITHIN_MS);
    const page = await context.newPage();
    const visit = new Visit(page, host, folder);
    await page.exposeFunction("reportBreach", (breach) => visit.#note(`policy: ${breach}`));
    await page.addInitScript(() => {
      document.addEventListener("securitypolicyviolation", (event) =>
        window.reportBreach(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`),
      );
    });
    page.on("request", (request) => visit.#judge(request.url()));
    page.on("websocket", (socket) => visit.#judge(socket.url()));
    page.on("dialog", (dialog) => visit.#refuse(dialog));
    page.on("pageerror", (error) => visit.#note(`page error: ${error.message}`));
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning")
        visit.#note(`${message.type()}: ${message.text()} (${message.location().url})`);
    });
    return visit;
  }

  constructor(page, host, folder) {
    this.page = page;
    this.host = host;
    this.#folder = folder;
  }

  /** While `body` runs, complaints with one of these texts are no problem. */
  async expecting(texts, body) {
    this.#expected.push(...texts);
    try {
      return await body();
    } finally {
      this.#expected = this.#expected.filter((text) => !texts.includes(text));
    }
  }

  async logIn(code) {
    await this.page.getByLabel("One-time code").fill("");
    await this.page.getByLabel("One-time code").pressSequentially(code);
    await this.page.getByRole("button", { name: "Log in" }).click();
  }

  async go(name) {
    await this.page.getByRole("navigation", { name: "Main" }).getByRole("link", { name }).click();
  }

  chip(state, within = WITHIN_MS) {
    return this.page
      .locator(`[data-testid="connection-chip"][data-state="${state}"]`)
      .waitFor({ timeout: within });
  }

  chipText() {
    return this.page.getByTestId("connection-chip").locator("span").first().textContent();
  }

  value(parameter) {
    return this.page.locator(`[data-testid="value"][data-parameter="${parameter}"]`);
  }

  /** Waits until a value is current and another than before. */
  async changing(parameter) {
    const shown = async () => {
      const element = this.value(parameter);
      const text = (await element.textContent()).replace(" (stale)", "");
      return { stale: await element.getAttribute("data-stale"), text };
    };
    const before = (await shown()).text;
    await until(`${parameter} to become other than ${before}`, WITHIN_MS, async () => {
      const now = await shown();
      return now.stale === "false" && now.text !== before;
    });
  }

  /** A number out of an element's attribute or text, once it is more than `least`. */
  more(what, least, read, within = WITHIN_MS) {
    return until(`${what} to be more than ${least}`, within, async () => {
      const number = Number(await read());
      return number > least ? number : null;
    });
  }

  /** What the page itself would get from the API. */
  ask(path) {
    return this.page.evaluate(async (address) => {
      const answer = await fetch(address);
      return { status: answer.status, body: await answer.json() };
    }, path);
  }

  /** Does something over the API as the page would. */
  async tell(method, path, body) {
    const { status, text } = await this.page.evaluate(
      async ([verb, address, content]) => {
        const headers = { "content-type": "application/json", "x-sto-request": "dashboard" };
        const answer = await fetch(address, { method: verb, headers, body: JSON.stringify(content) });
        return { status: answer.status, text: await answer.text() };
      },
      [method, path, body],
    );
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${text}`);
  }

  /** Opens a page by its address; it is there when its heading is, and nothing is on its way any more. */
  async show(path, heading) {
    await this.page.goto(`http://${this.host}${path}`);
    await this.page.getByRole("heading", { name: heading, level: 1 }).waitFor();
    await this.chip("live");
    await until(`${path} to have loaded`, WITHIN_MS, async () => {
      return (await this.page.getByText(/^Loading /).count()) === 0;
    });
  }

  /** As one sees who cannot tell red from green. */
  async withoutRedAndGreen(body) {
    const session = await this.page.context().newCDPSession(this.page);
    const see = (type) => session.send("Emulation.setEmulatedVisionDeficiency", { type });
    await see("deuteranopia");
    try {
      await body();
    } finally {
      await see("none");
      await session.detach();
    }
  }

  /** Freezes the page as a browser does with a tab in the background; returns what wakes it. */
  async suspend() {
    const session = await this.page.context().newCDPSession(this.page);
    await session.send("Page.setWebLifecycleState", { state: "frozen" });
    return async () => {
      await session.send("Page.setWebLifecycleState", { state: "active" });
      await session.detach();
    };
  }

  async picture(name) {
    this.#pictures += 1;
    const path = `${this.#folder}-${String(this.#pictures).padStart(2, "0")}-${name}.png`;
    await this.page.screenshot({ path });
  }

  close() {
    return this.page.context().close();
  }

  #judge(address) {
    const { host, protocol } = new URL(address);
    if (protocol !== "data:" && protocol !== "blob:" && host !== this.host) this.#note(`foreign: ${address}`);
  }

  /** A dialog of the browser's own stands in the way of everything. */
  async #refuse(dialog) {
    this.#note(`dialog: ${dialog.message()}`);
    await dialog.dismiss();
  }

  #note(problem) {
    if (!this.#expected.some((text) => problem.includes(text))) this.problems.push(problem);
  }
}
