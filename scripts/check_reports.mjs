// Check pages named on the command line with axe-core and html-validate, and take pictures at two widths.
// Run by scripts/check_reports.py, in the folder that holds the pages and node_modules.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { HtmlValidate } from "html-validate";
import puppeteer from "puppeteer-core";

const WIDTHS = [400, 1400];
const SERIOUS = ["serious", "critical"];
const axe = readFileSync("node_modules/axe-core/axe.min.js", "utf8");
const validator = new HtmlValidate({
  extends: ["html-validate:recommended"],
  // A page that is one file has its styles within it, and a title says all that a file name cannot.
  rules: { "no-inline-style": "off", "long-title": "off", "require-sri": "off" },
});
const browser = await puppeteer.launch({
  executablePath: process.env.BROWSER_PATH,
  args: ["--no-sandbox", "--disable-gpu"],
});
let problems = 0;

function tell(text) {
  problems += 1;
  console.log(text);
}

for (const page of process.argv.slice(2)) {
  const before = problems;
  const report = await validator.validateFile(page);
  for (const result of report.results) {
    for (const message of result.messages.filter((each) => each.severity > 1)) {
      tell(`${page}:${message.line}: ${message.ruleId}: ${message.message}`);
    }
  }
  for (const width of WIDTHS) {
    const tab = await browser.newPage();
    await tab.setBypassCSP(true);
    await tab.setViewport({ width, height: 1000 });
    await tab.goto(pathToFileURL(page).href);
    const over = await tab.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    if (over > 0) tell(`${page} at ${width}: ${over} pixels reach over the side`);
    const cut = await tab.evaluate(() =>
      [...document.querySelectorAll(".scroll")].filter((each) => each.scrollWidth > each.clientWidth + 1).length,
    );
    if (cut > 0 && width < 1000) tell(`${page} at ${width}: ${cut} tables must be scrolled`);
    await tab.evaluate(axe);
    const found = await tab.evaluate(() => window.axe.run(document));
    for (const each of found.violations.filter((violation) => SERIOUS.includes(violation.impact))) {
      tell(`${page} at ${width}: ${each.id} (${each.impact}): ${each.help}; ${each.nodes[0].html}`);
    }
    await tab.screenshot({ path: page.replace(/\.html$/, `_${width}.png`), fullPage: true });
    const minor = found.violations.filter((violation) => !SERIOUS.includes(violation.impact));
    const told = minor.map((each) => each.id).join(", ");
    console.log(`${page} at ${width}: ${found.passes.length} rules pass${told && `; minor: ${told}`}`);
    await tab.close();
  }
  console.log(`${page}: ${problems - before} problems`);
}
await browser.close();
process.exit(problems > 0 ? 1 : 0);
