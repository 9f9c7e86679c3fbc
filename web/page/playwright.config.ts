import { defineConfig, devices } from "@playwright/test";

const PORT = 4187;

export default defineConfig({
  testDir: "tests",
  workers: 2,
  projects: [
    // Alone, because a test measures the latency of the pen.
    { name: "pen", testMatch: "digit.spec.ts" },
    { name: "pages", testIgnore: "digit.spec.ts", dependencies: ["pen"] },
  ],
  forbidOnly: true,
  timeout: 60_000,
  reporter: "list",
  snapshotPathTemplate: "tests/pictures/{arg}{ext}",
  expect: { timeout: 15_000, toHaveScreenshot: { maxDiffPixelRatio: 0.005, threshold: 0.25 } },
  use: {
    ...devices["Desktop Chrome"],
    baseURL: `http://localhost:${PORT}/`,
    locale: "en-US",
    contextOptions: { reducedMotion: "reduce" },
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
  webServer: {
    command: `vite preview --port ${PORT} --strictPort`,
    port: PORT,
    reuseExistingServer: !process.env.CI,
  },
});
