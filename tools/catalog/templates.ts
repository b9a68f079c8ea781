import { templateAction } from "./goTemplate";

/** A condition that a block of a template puts on what is within it. */
export interface Condition {
    /** The pipeline after `if` or `with`: `and .Values.a (not $b.c)`. */
    readonly pipeline: string;
    /** Whether it has to be empty, as in what follows an `else`. */
    readonly negated: boolean;
}

/** One `{{ action }}` of a template. */
interface Action {
    readonly at: number;
    readonly end: number;
    readonly body: string;
    readonly blocks: readonly Block[];
}

interface Block {
    readonly keyword: string;
    /** What the block is about: the pipeline of `if`, `with` or `range`, or the name of a `define`. */
    readonly subject: string;
    readonly conditions: readonly Condition[];
}

/** A value, or one for which there is another where it is empty. */
const asItIs =
    /^(default\s+("[^"]*"|[\w.$]+)\s+)?(\$?\.[\w.]+|\$\w[\w.]*|index \$?\.Values( "[^"]+")+)(\s*\|\s*default\s[^|]+)?$/;

const assignment = /^(\$\w+)\s*:?=\s*([^]*)$/;

/**
 * Reads which values a Helm template reads, and under which conditions it writes what it writes. It follows variables, `with`
 * and the named templates of its own chart: enough of the language for charts that hand values on, and no more.
 *
 * @param text of one file.
 * @param named the bodies of the chart's named templates (`define`), see {@link namedTemplates}.
 */
export class Template {
    private readonly actions: readonly Action[];
    /** What each variable is made of. */
    private readonly assigned: ReadonlyMap<string, readonly string[]>;
    /** The paths that a key of the chart's values stands for, once a template has `set` it to something made of them. */
    private readonly rebound: ReadonlyMap<string, string[][]>;

    constructor(
        readonly text: string,
        private readonly named: ReadonlyMap<string, string> = new Map(),
    ) {
        this.actions = parse(text);
        const assigned = new Map<string, string[]>();
        const rebound = new Map<string, string[][]>();
        this.assigned = assigned;
        for (const { body } of this.actions) {
            const [, name, expression] = assignment.exec(body) ?? [];
            const [, key, value] = /\bset\s+\$?\.Values\s+"([^"]+)"\s+([^]+)$/.exec(body) ?? [];
            if (key !== undefined && value !== undefined) {
                rebound.set(key, this.paths(value));
            } else if (name !== undefined && expression !== undefined) {
                assigned.set(name, [...(assigned.get(name) ?? []), expression]);
            }
        }
        this.rebound = rebound;
    }

    /** The conditions under which the text at a position is written, outermost first. */
    conditionsAt(position: number): Condition[] {
        const next = this.actions.find(({ at }) => at >= position);
        return (next?.blocks ?? []).flatMap(({ conditions }) => conditions);
    }

    /** What is assigned to a variable, each time under its conditions. */
    assignments(variable: string): { readonly expression: string; readonly conditions: readonly Condition[] }[] {
        return this.actions.flatMap(({ body, blocks }) => {
            const [, name, expression = ""] = assignment.exec(body) ?? [];
            return name === variable
                ? [{ expression, conditions: blocks.flatMap(({ conditions }) => conditions) }]
                : [];
        });
    }

    /** The text with each action replaced. */
    replaced(by: (action: string) => string): string {
        return this.text.replace(templateAction, (_, body: string) => by(body));
    }

    /** The paths of the chart's values that an expression reads, in the order in which it names them. */
    paths(expression: string, blocks: readonly Block[] = [], seen: readonly string[] = []): string[][] {
        const found: string[][] = [];
        const indexed = expression.replace(
            /\bindex\s+(\$?\.Values|\$\w+)((?:\s+"[^"]+")+)/g,
            (_, start: string, keys: string) => {
                const below = [...keys.matchAll(/"([^"]+)"/g)].map(([, key = ""]) => key);
                found.push(...this.reach(start, below, blocks, seen));
                return "";
            },
        );
        const plain = indexed.replace(/"(?:[^"\\]|\\.)*"|`[^`]*`/g, '""');
        for (const [, variable, dotted = ""] of plain.matchAll(/(\$\w*)?((?:\.\w+)*)/g)) {
            if (variable !== undefined || dotted !== "") {
                const keys = dotted.split(".").slice(1);
                const isRoot = (variable === undefined || variable === "$") && keys[0] === "Values";
                found.push(
                    ...(isRoot
                        ? this.reach(".Values", keys.slice(1), blocks, seen)
                        : this.reach(variable ?? ".", keys, blocks, seen)),
                );
            }
        }
        return unique(found);
    }

    /** Every path of the chart's values that the template reads, its own named templates included. */
    reads(visited: ReadonlySet<string> = new Set()): string[][] {
        const outside = this.actions.filter(({ blocks }) => !blocks.some(({ keyword }) => keyword === "define"));
        return unique(
            outside.flatMap(({ body, blocks }) => [
                ...this.paths(body, blocks),
                ...[...body.matchAll(/\b(?:include|template)\s+"([^"]+)"/g)].flatMap(([, name = ""]) => {
                    const text = visited.has(name) ? undefined : this.named.get(name);
                    return text === undefined
                        ? []
                        : new Template(text, this.named)
                              .reads(new Set([...visited, name]))
                              .flatMap((path) => this.rebinding(path));
                }),
            ]),
        );
    }

    /**
     * The paths of the chart's values that the template writes as they are, without quotes, as a whole value or entry of a list:
     * `name: {{ .Values.a | default "b" }}`. Named templates are templates of their own here.
     */
    pasted(): string[][] {
        return unique(
            this.actions.flatMap(({ at, end, body, blocks }) => {
                const before = this.text.slice(this.text.lastIndexOf("\n", at - 1) + 1, at);
                const [after = ""] = this.text.slice(end).split("\n", 1);
                const isWhole = /^ *(- +)?([\w./-]+: +)?$/.test(before) && before.trim() !== "" && /^\s*$/.test(after);
                const found = isWhole && asItIs.test(body) ? this.paths(body.replace(/\|[^]*/, ""), blocks) : [];
                // What `split` makes of a value is not the value.
                return found.filter((path) => path.length > 0 && !/^_\d$/.test(path.at(-1) ?? ""));
            }),
        );
    }

    /** A path that a template reads which this one includes, as this one has left the values to it. */
    private rebinding([key = "", ...rest]: string[]): string[][] {
        return (this.rebound.get(key) ?? [[key]]).map((base) => [...base, ...rest]);
    }

    private reach(
        start: string,
        keys: readonly string[],
        blocks: readonly Block[],
        seen: readonly string[],
    ): string[][] {
        const below = (bases: readonly string[][]) => bases.map((base) => [...base, ...keys]);
        if (start.endsWith(".Values")) {
            return [[...keys]];
        }
        if (start === "$") {
            return [];
        }
        if (start === ".") {
            const around = blocks.filter(({ keyword }) => keyword !== "if");
            const block = around.at(-1);
            return block?.keyword === "with" ? below(this.paths(block.subject, around.slice(0, -1), seen)) : [];
        }
        return seen.includes(start)
            ? []
            : below((this.assigned.get(start) ?? []).flatMap((each) => this.paths(each, blocks, [...seen, start])));
    }
}

/** The bodies of the named templates (`define`) in a chart's files. */
export function namedTemplates(texts: readonly string[]): Map<string, string> {
    const found = new Map<string, string>();
    for (const text of texts) {
        const actions = parse(text);
        for (const [i, { body, end, blocks }] of actions.entries()) {
            const [, name] = /^define\s+"([^"]+)"/.exec(body) ?? [];
            const close = actions
                .slice(i + 1)
                .find((each) => each.body === "end" && each.blocks.length === blocks.length + 1);
            if (name !== undefined && close) {
                found.set(name, text.slice(end, close.at));
            }
        }
    }
    return found;
}

function parse(text: string): Action[] {
    const found: Action[] = [];
    let blocks: readonly Block[] = [];
    for (const match of text.matchAll(templateAction)) {
        const [whole, body = ""] = match;
        found.push({ at: match.index, end: match.index + whole.length, body, blocks });
        blocks = after(blocks, body);
    }
    return found;
}

/** The blocks that are open after an action. */
function after(blocks: readonly Block[], body: string): readonly Block[] {
    const [, keyword = "", subject = ""] = /^(if|with|range|define|block|else|end)\b\s*([^]*)$/.exec(body) ?? [];
    const outer = blocks.slice(0, -1);
    switch (keyword) {
        case "":
            return blocks;
        case "end":
            return outer;
        case "else": {
            const { conditions = [] } = blocks.at(-1) ?? {};
            const before = conditions.map(({ pipeline }) => ({ pipeline, negated: true }));
            const [, next = "", further = ""] = /^(if|with)\s+([^]*)$/.exec(subject) ?? [];
            const more = further === "" ? [] : [{ pipeline: further, negated: false }];
            return [...outer, { keyword: next || "if", subject: further, conditions: [...before, ...more] }];
        }
        default: {
            const holds = keyword === "if" || keyword === "with";
            return [...blocks, { keyword, subject, conditions: holds ? [{ pipeline: subject, negated: false }] : [] }];
        }
    }
}

function unique(paths: readonly string[][]): string[][] {
    return [...new Map(paths.map((path) => [path.join("\0"), path])).values()];
}
