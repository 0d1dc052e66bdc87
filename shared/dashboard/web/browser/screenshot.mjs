// Takes a picture of a page: npm run screenshot -- URL OUT.png [--code CODE] [--theme dark|light] [--wait MS] [--eval JS]
// Also prints what the page complained about, and fails when it asked a foreign host for anything.
import { parseArgs } from "node:util";
import { launchChromium } from "./chromium.mjs";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    code: { type: "string" },
    eval: { type: "string" },
    height: { type: "string", default: "900" },
    theme: { type: "string", default: "dark" },
    wait: { type: "string", default: "2500" },
    width: { type: "string", default: "1440" },
  },
});
const [address, out] = positionals;
if (address === undefined || out === undefined) {
  console.error(
    "usage: npm run screenshot -- URL OUT.png [--code CODE] [--theme dark|light] [--wait MS] [--eval JS]",
  );
  process.exit(2);
}

const browser = await launchChromium();
try {
  const page = await browser.newPage({
    colorScheme: values.theme === "light" ? "light" : "dark",
    viewport: { width: Number(values.width), height: Number(values.height) },
  });
  const home = new URL(address);
  const foreign = new Set();
  page.on("request", (request) => {
    const { host, protocol } = new URL(request.url());
    if (protocol !== "data:" && protocol !== "blob:" && host !== home.host) foreign.add(host);
  });
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning")
      console.log(`${message.type()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => console.log(`page error: ${error.message}`));
  if (values.code !== undefined) {
    await page.goto(`${home.origin}/#code=${encodeURIComponent(values.code)}`);
    await page.getByTestId("connection-chip").waitFor({ timeout: 15_000 });
  }
  await page.goto(address);
  await page.waitForTimeout(Number(values.wait));
  if (values.eval !== undefined) {
    await page.evaluate(values.eval);
    await page.waitForTimeout(Number(values.wait));
  }
  await page.screenshot({ path: out });
  if (foreign.size > 0) {
    console.error(`foreign hosts were asked: ${[...foreign].join(", ")}`);
    process.exitCode = 1;
  }
} finally {
  await browser.close();
}
