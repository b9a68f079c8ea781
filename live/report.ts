import { styleText } from "node:util";

import { printable } from "../core/lib/printable";
import type { Finding, Result } from "./findings";

const marks = {
    ok: ["ok", "green"],
    warning: ["warning", "yellow"],
    unknown: ["unknown", "magenta"],
    problem: ["problem", "red"],
} as const;

/**
 * What one check found, as text: a line, and three more for each thing that was found.
 *
 * @param said what could not be checked so far, and why: the same reason is given once. It gets what this check adds.
 */
export function resultText({ title, findings }: Result, said = new Set<string>()): string {
    return findings.length === 0
        ? mark("ok", title)
        : findings
              .map((finding) => {
                  const isKnown = finding.severity === "unknown" && said.has(finding.what);
                  if (finding.severity === "unknown") {
                      said.add(finding.what);
                  }
                  return isKnown ? mark("unknown", `${title}: not checked, as above`) : findingText(title, finding);
              })
              .join("\n");
}

function findingText(title: string, { severity, what, why, fix }: Finding): string {
    const [first = "", ...rest] = printable(what).trim().split("\n");
    return [
        mark(severity, `${title}: ${first}`),
        ...[...rest, `Why: ${printable(why)}`, `Fix: ${printable(fix)}`].map((line) => `            ${line}`),
    ].join("\n");
}

function mark(severity: keyof typeof marks, text: string): string {
    const [word, colour] = marks[severity];
    return `  ${styleText(colour, word.padEnd(9))} ${text}`;
}

/** What all checks found, in one line. */
export function summaryText(results: readonly Result[]): string {
    const count = (severity: Finding["severity"]) =>
        results.flatMap(({ findings }) => findings).filter((finding) => finding.severity === severity).length;
    const plural = (number: number, one: string) => `${String(number)} ${one}${number === 1 ? "" : "s"}`;
    const ok = results.filter(({ findings }) => findings.length === 0).length;
    return [
        `${String(ok)} of ${String(results.length)} checks found nothing`,
        plural(count("problem"), "problem"),
        plural(count("warning"), "warning"),
        `${String(count("unknown"))} could not be checked`,
    ].join(", ");
}

/** A line that says what is being done, on a terminal, until something else is printed there; nothing when piped. */
export class Progress {
    private readonly terminal = process.stdout.isTTY && process.env.TERM !== "dumb";

    /** Shows what is being done now. */
    show(text: string): void {
        if (this.terminal) {
            process.stdout.write(`\r\u001b[K  ${styleText("dim", text.slice(0, (process.stdout.columns || 80) - 4))}`);
        }
    }

    /** Prints what stays. */
    print(text: string): void {
        this.clear();
        console.log(text);
    }

    clear(): void {
        if (this.terminal) {
            process.stdout.write("\r\u001b[K");
        }
    }
}
