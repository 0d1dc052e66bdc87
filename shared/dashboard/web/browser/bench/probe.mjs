// What the browser knows of a page: what keeps its main thread busy, what is in its memory, how soon inputs are taken up.

/** Of a page, since it was opened. */
const PATIENCE_MS = 120_000;

/** Runs in the page before anything of its own. */
function watch() {
  const seen = { inputs: [], longTasks: [] };
  window.benchSeen = seen;
  for (const kind of ["keydown", "pointerdown", "pointermove", "wheel"])
    window.addEventListener(
      kind,
      ({ isTrusted, timeStamp }) => {
        if (!isTrusted) return;
        const delay = performance.now() - timeStamp;
        // Behind the next frame comes the first task that is posted in it.
        const drawn = new MessageChannel();
        drawn.port1.onmessage = () => {
          seen.inputs.push({ kind, delay, shown: performance.now() - timeStamp });
          drawn.port1.close();
        };
        requestAnimationFrame(() => drawn.port2.postMessage(null));
      },
      { capture: true, passive: true },
    );
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) seen.longTasks.push(duration);
  }).observe({ type: "longtask" });
}

export class Probe {
  #session;
  #page;
  #received = { all: 0, answers: 0 };

  static async on(page) {
    const session = await page.context().newCDPSession(page);
    await page.addInitScript(watch);
    const probe = new Probe(page, session);
    await session.send("Performance.enable");
    await session.send("Network.enable");
    const isAnswer = new Set();
    session.on("Network.responseReceived", ({ requestId, response }) => {
      if (new URL(response.url).pathname.startsWith("/api/")) isAnswer.add(requestId);
    });
    session.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
      probe.#received.all += encodedDataLength;
      if (isAnswer.delete(requestId)) probe.#received.answers += encodedDataLength;
    });
    return probe;
  }

  constructor(page, session) {
    this.#page = page;
    this.#session = session;
  }

  /** Milliseconds of each second that the main thread was busy while `body` ran on one page: with anything, and with what. */
  async busy(body) {
    const before = await this.#metrics();
    const result = await body();
    const after = await this.#metrics();
    const share = (name) => ((after[name] - before[name]) / (after.Timestamp - before.Timestamp)) * 1_000;
    return {
      result,
      all: share("TaskDuration"),
      parts: {
        script: Math.round(share("ScriptDuration")),
        style: Math.round(share("RecalcStyleDuration")),
        layout: Math.round(share("LayoutDuration")),
      },
    };
  }

  /** What is held after everything that nobody holds was thrown away. */
  async memory() {
    await this.#session.send("HeapProfiler.collectGarbage");
    const { JSHeapUsedSize: heap, Nodes: nodes, JSEventListeners: listeners } = await this.#metrics();
    return { heap, nodes, listeners };
  }

  /** Bytes on the wire since this was last asked: of everything, and of the API's answers. */
  received() {
    const received = this.#received;
    this.#received = { all: 0, answers: 0 };
    return received;
  }

  /** As a browser that was never here. */
  async forgetCache() {
    await this.#session.send("Network.clearBrowserCache");
  }

  /** Inputs and tasks of more than 50 ms since this was last asked, or since the page was opened. */
  seen() {
    return this.#page.evaluate(() => {
      const { inputs, longTasks } = window.benchSeen;
      return { inputs: inputs.splice(0), longTasks: longTasks.splice(0) };
    });
  }

  /** Goes to an address; milliseconds until `isThere` is true in the page. */
  async opened(address, isThere, argument) {
    await this.#page.goto(address, { waitUntil: "commit" });
    return await this.since(isThere, argument);
  }

  /** Milliseconds from the page's beginning until `isThere`, which the page asks itself once a frame. */
  async since(isThere, argument) {
    // Put together here, because the page's policy lets nothing be put together there later.
    const at = await this.#page.evaluate(`(async () => {
      const isThere = ${isThere};
      while (!isThere(${JSON.stringify(argument)})) {
        if (performance.now() > ${PATIENCE_MS}) return null;
        await new Promise(requestAnimationFrame);
      }
      return performance.now();
    })()`);
    if (at === null) throw new Error(`waited ${PATIENCE_MS / 1000} s in vain for: ${isThere}`);
    return at;
  }

  async #metrics() {
    const { metrics } = await this.#session.send("Performance.getMetrics");
    return Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
  }
}
