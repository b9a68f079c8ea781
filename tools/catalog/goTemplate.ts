/** An operand of a command: `.a.b`, `$x.a`, `"text"`, `include`, `(…).a`. */
export type Operand =
    | { readonly is: "dot" | "number" | "nil" }
    | { readonly is: "field"; readonly names: readonly string[] }
    | { readonly is: "variable"; readonly name: string; readonly names: readonly string[] }
    | { readonly is: "function"; readonly name: string }
    | { readonly is: "text"; readonly value: string }
    | { readonly is: "pipeline"; readonly pipeline: Pipeline; readonly names: readonly string[] };

/** Commands, each of which gets the result of the one before as its last argument. */
export interface Pipeline {
    /** What the result is kept in: one variable, or in a `range` the key and the value. */
    readonly variables: readonly string[];
    /** Whether the variables are there already (`=`), or new (`:=`). */
    readonly assigns: boolean;
    readonly commands: readonly (readonly Operand[])[];
}

/** A part of a template. Text between actions is left out. */
export type TemplatePart =
    | { readonly is: "print"; readonly pipeline: Pipeline }
    | {
          readonly is: "if" | "with" | "range";
          readonly pipeline: Pipeline;
          readonly body: readonly TemplatePart[];
          readonly otherwise: readonly TemplatePart[];
      }
    | { readonly is: "template"; readonly name: string; readonly pipeline: Pipeline | undefined };

/** A file of Go's `text/template`. */
interface TemplateFile {
    readonly parts: readonly TemplatePart[];
    /** What the file defines (`define`, `block`), by name. */
    readonly named: ReadonlyMap<string, readonly TemplatePart[]>;
}

type Token = Sign | Exclude<Operand, { is: "pipeline" }> | Chain;

interface Sign {
    readonly is: "(" | ")" | "|" | ":=" | "=" | ",";
}

/** Fields of what stands in the parentheses before them. */
interface Chain {
    readonly is: "chain";
    readonly names: readonly string[];
}

/** What stands between `{{` and `}}`: quoted text, in which braces mean nothing, comments, and all else. */
export const templateAction = /\{\{-?\s*((?:"(?:[^"\\]|\\.)*"|`[^`]*`|\/\*[^]*?\*\/|[^"`])*?)\s*-?\}\}/g;

const token =
    /\s+|("(?:[^"\\]|\\.)*"|`[^`]*`)|('(?:[^'\\]|\\.)+'|[-+]?\d[\w.]*)|(\$\w*)((?:\.\w+)*)|((?:\.\w+)+)|(\.)|([A-Za-z_]\w*)|(:=|[()|=,])/gy;

/**
 * Parses a template as Go's `text/template` does, of whose functions it needs to know nothing.
 *
 * @throws Error when it is no template.
 */
export function parseTemplate(text: string): TemplateFile {
    const named = new Map<string, readonly TemplatePart[]>();
    const actions = [...text.matchAll(templateAction)]
        .map(([, body = ""]) => body)
        .filter((body) => !body.startsWith("/*"));
    let next = 0;
    const { parts, end } = list();
    if (end !== undefined) {
        throw new Error(`A template has {{ ${end} }} outside of a block.`);
    }
    return { parts, named };

    /** Parts up to what ends them: `end`, `else …`, or the end of the file. */
    function list(): { parts: TemplatePart[]; end: string | undefined } {
        const parts: TemplatePart[] = [];
        while (next < actions.length) {
            const body = actions[next++] ?? "";
            const [, keyword = "", subject = ""] =
                /^(if|with|range|define|block|template|else|end|break|continue)\b\s*([^]*)$/.exec(body) ?? [];
            if (keyword === "end" || keyword === "else") {
                return { parts, end: body };
            } else if (keyword === "if" || keyword === "with" || keyword === "range") {
                parts.push(block(keyword, subject));
            } else if (keyword === "define" || keyword === "block") {
                const [, name = "", rest = ""] = /^"([^"]*)"\s*([^]*)$/.exec(subject) ?? [];
                named.set(name, list().parts);
                if (keyword === "block") {
                    parts.push({ is: "template", name, pipeline: pipelineOf(rest) });
                }
            } else if (keyword === "template") {
                const [, name = "", rest = ""] = /^"([^"]*)"\s*([^]*)$/.exec(subject) ?? [];
                parts.push({ is: "template", name, pipeline: rest === "" ? undefined : pipelineOf(rest) });
            } else if (keyword === "" && body !== "") {
                parts.push({ is: "print", pipeline: pipelineOf(body) });
            }
        }
        return { parts, end: undefined };
    }

    function block(keyword: "if" | "with" | "range", subject: string): TemplatePart {
        const { parts: body, end } = list();
        const [, further = ""] = /^else\s*([^]*)$/.exec(end ?? "") ?? [];
        const [, kind, condition = ""] = /^(if|with)\b\s*([^]*)$/.exec(further) ?? [];
        const otherwise =
            kind === "if" || kind === "with"
                ? [block(kind, condition)]
                : end?.startsWith("else") === true
                  ? list().parts
                  : [];
        return { is: keyword, pipeline: pipelineOf(subject), body, otherwise };
    }
}

function pipelineOf(text: string): Pipeline {
    const tokens = tokensOf(text);
    let next = 0;
    const parsed = pipeline();
    if (next < tokens.length) {
        throw new Error(`{{ ${text} }} goes on where it should end.`);
    }
    return parsed;

    function pipeline(): Pipeline {
        const variables: string[] = [];
        const start = next;
        for (let at = tokens[next]; at?.is === "variable" && at.names.length === 0; at = tokens[next]) {
            variables.push(at.name);
            next++;
            const after = tokens[next];
            if (after?.is === ":=" || after?.is === "=") {
                next++;
                return { variables, assigns: after.is === "=", commands: commands() };
            }
            if (after?.is !== ",") {
                break;
            }
            next++;
        }
        next = start;
        return { variables: [], assigns: false, commands: commands() };
    }

    function commands(): Operand[][] {
        const all: Operand[][] = [[]];
        for (let at = tokens[next]; at && at.is !== ")"; at = tokens[next]) {
            next++;
            switch (at.is) {
                case "|":
                    all.push([]);
                    break;
                case "(": {
                    const inner = pipeline();
                    next++;
                    const chain = tokens[next];
                    const names = chain?.is === "chain" ? chain.names : [];
                    next += chain?.is === "chain" ? 1 : 0;
                    all.at(-1)?.push({ is: "pipeline", pipeline: inner, names });
                    break;
                }
                case ":=":
                case "=":
                case ",":
                case "chain":
                    throw new Error(`{{ ${text} }} has a ${at.is} where none can be.`);
                default:
                    all.at(-1)?.push(at as Operand);
            }
        }
        return all;
    }
}

function tokensOf(text: string): Token[] {
    const tokens: Token[] = [];
    const namesOf = (dotted: string) => dotted.split(".").slice(1);
    token.lastIndex = 0;
    for (let at = 0; at < text.length; at = token.lastIndex) {
        const found = token.exec(text);
        if (!found) {
            throw new Error(`{{ ${text} }} is not understood at ${JSON.stringify(text.slice(at, at + 10))}.`);
        }
        const [, quoted, number, variable, below = "", fields, dot, name, sign] = found;
        if (quoted !== undefined) {
            tokens.push({ is: "text", value: quoted.startsWith("`") ? quoted.slice(1, -1) : unquoted(quoted) });
        } else if (number !== undefined) {
            tokens.push({ is: "number" });
        } else if (variable !== undefined) {
            tokens.push({ is: "variable", name: variable, names: namesOf(below) });
        } else if (fields !== undefined) {
            const isChain = text[at - 1] === ")";
            tokens.push({ is: isChain ? "chain" : "field", names: namesOf(fields) });
        } else if (dot !== undefined) {
            tokens.push({ is: "dot" });
        } else if (name !== undefined) {
            tokens.push(
                name === "nil"
                    ? { is: "nil" }
                    : name === "true" || name === "false"
                      ? { is: "number" }
                      : { is: "function", name },
            );
        } else if (sign !== undefined) {
            tokens.push({ is: sign as Sign["is"] });
        }
    }
    return tokens;
}

function unquoted(text: string): string {
    try {
        return JSON.parse(text) as string;
    } catch {
        // Go knows escapes that JSON does not. No key of values needs one.
        return text.slice(1, -1);
    }
}
