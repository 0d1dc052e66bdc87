// Whether a chart's line is on its canvas, told by the canvas itself.

/** What Chromium says of whoever looks at a canvas again and again. */
export const READ_BACK = ["willReadFrequently"];

/** Runs in the page: as many charts are there, each with its first line. */
export function isPainted({ charts }) {
  const canvases = [...document.querySelectorAll(".chart canvas")];
  if (canvases.length < charts) return false;
  const wanted = getComputedStyle(document.documentElement).getPropertyValue("--series-1").trim();
  const [red, green, blue] = [1, 3, 5].map((at) => Number.parseInt(wanted.slice(at, at + 2), 16));
  /** A line of a few seconds is short; what stands beside it is painted with it. */
  const PIXELS = 10;
  return canvases.every((canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let found = 0;
    for (let at = 0; at < data.length; at += 4) {
      const away = Math.abs(data[at] - red) + Math.abs(data[at + 1] - green) + Math.abs(data[at + 2] - blue);
      if (data[at + 3] > 100 && away < 24) found += 1;
    }
    return found > PIXELS;
  });
}
