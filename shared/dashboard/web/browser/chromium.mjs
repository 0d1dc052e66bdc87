// The browser of tests and pictures: Chromium as installed, asking nobody but whom it is sent to.
import { chromium } from "playwright-core";

export function launchChromium() {
  return chromium.launch({
    executablePath: process.env.STO_CHROMIUM ?? "/usr/bin/chromium",
    // Whoever launched it stops it in order, also when a signal came.
    handleSIGHUP: false,
    handleSIGINT: false,
    handleSIGTERM: false,
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}
