import { parseTemplate, type Operand, type TemplatePart, type Pipeline } from "./goTemplate";
import { isMap, valueAt, type HelmValue, type HelmValues } from "../../core/lib/values";

type Path = readonly string[];

/** What the templates of a chart do with its values. A `*` in a path stands for any key. */
export interface Reads {
    /** Every path that they ask for, if only to know whether it is there. */
    readonly named: readonly Path[];
    /** Those that they take as a whole, whatever is below. */
    readonly whole: readonly Path[];
    /** Those that they print as one value. */
    readonly printed: readonly Path[];
    /** Those whose type they ask for: there is more than one that they take. */
    readonly asked: readonly Path[];
}

/** What an expression can stand for: any of these. Of nothing it is known that it is not there. */
type Value = readonly Atom[];

type Atom =
    | { readonly is: "path"; readonly path: Path }
    | Dict
    | { readonly is: "list"; readonly items: readonly Value[] }
    /** Values as text (`toYaml`). What is done with the text decides what is read of them. */
    | { readonly is: "text"; readonly of: Value }
    | { readonly is: "constant"; readonly value: string }
    | { readonly is: "unknown" };

/** A map that a template makes. */
interface Dict {
    readonly is: "dict";
    /** What in the template makes it. */
    readonly site: object;
    readonly entries: Map<string, Value>;
    /** Maps that were merged into it. */
    merged: Value;
}

const unknown: Value = [{ is: "unknown" }];

const textFunctions = new Set(
    `abbrev b64dec b64enc camelcase cat fromToml indent initials kebabcase lower nindent nospace print printf println quote
    regexFind regexReplaceAll regexReplaceAllLiteral mustRegexReplaceAll repeat replace snakecase squote substr title toString tpl
    trim trimAll trimPrefix trimSuffix trunc untitle upper urlquery wrap html js`.split(/\s+/),
);

/** Functions of which only what their arguments are counts: whether they are empty, how long, which number. */
const plainFunctions = new Set(
    `add add1 addf atoi ceil contains div divf duration durationRound empty eq fail float64 floor ge gt has hasPrefix hasSuffix int
    int64 join le len lookup lt max min mod mul ne not regexMatch round semver semverCompare seq sha1sum sha256sum sub toDate toDecimal
    until untilStep urlParse urlJoin split splitList splitn regexSplit date dateInZone genCA genSignedCert genSelfSignedCert
    genPrivateKey htpasswd derivePassword uuidv4 randAlphaNum randAlpha randNumeric now ago htmlDate toStrings`.split(
        /\s+/,
    ),
);

const typeFunctions = new Set(["kindIs", "kindOf", "typeIs", "typeOf", "typeIsLike"]);

/** Functions that give one of their arguments, or something with the same keys. */
const choosing = new Set(["and", "or", "coalesce", "default", "ternary", "required"]);

const merging = /^(must)?[mM]erge(Overwrite)?$/;

const serializing = /^(must)?[tT]o(Yaml|Json|PrettyJson|RawJson|Toml|YamlPretty)$/;

const parsing = /^(must)?[fF]rom(Yaml|Json)(Array)?$/;

/**
 * Finds out what the templates of a chart read of its values: follows variables, `with`, `range`, named templates and the maps
 * that templates hand to them. Where it cannot tell which key is read it takes any; what it does not know, it takes as a whole.
 *
 * @param files the texts of the chart's templates, and of those of its dependencies, which all charts share.
 * @param own those of {@link files} that the chart itself renders.
 * @param values its defaults, some of which are templates too.
 */
export function readsOf(files: readonly string[], own: readonly string[], values: HelmValues): Reads {
    const named = new Map(files.flatMap((text) => [...parseTemplate(text).named]));
    const interpreter = new Interpreter(named, values);
    const parts = own.map((text) => parseTemplate(text).parts);
    // What one template sets, another may read.
    for (let round = 0, before = -1; round < 10 && before !== interpreter.count; round++) {
        before = interpreter.count;
        parts.forEach((each) => {
            interpreter.renderFile(each);
        });
    }
    return interpreter.reads();
}

class Scope {
    constructor(private readonly levels: Map<string, Value>[] = [new Map<string, Value>()]) {}

    private levelOf(name: string): Map<string, Value> | undefined {
        return [...this.levels].reverse().find((level) => level.has(name));
    }

    get(name: string): Value {
        return this.levelOf(name)?.get(name) ?? [];
    }

    declare(name: string, value: Value): void {
        this.levels.at(-1)?.set(name, value);
    }

    assign(name: string, value: Value): void {
        this.levelOf(name)?.set(name, value);
    }

    /** What is done with variables in a block. */
    within(act: () => void): void {
        this.levels.push(new Map());
        act();
        this.levels.pop();
    }

    copy(): Scope {
        return new Scope(this.levels.map((level) => new Map(level)));
    }

    /** Takes over what variables have become elsewhere, where it may or may not have happened. */
    join(other: Scope): void {
        this.levels.forEach((level, i) => {
            for (const [name, value] of other.levels[i] ?? []) {
                level.set(name, union(level.get(name) ?? [], value));
            }
        });
    }
}

class Interpreter {
    private readonly found = { named: paths(), whole: paths(), printed: paths(), asked: paths() };
    /** What templates have `set` in the values. */
    private readonly set = new Map<string, Map<string, Value>>();
    /** What templates have merged into the values. */
    private readonly mergedInto = new Map<string, Value>();
    private included = new Map<string, Value>();
    private depth = 0;
    private readonly dicts = new WeakMap<object, Map<string, Dict>>();
    private readonly parsed = new Map<string, readonly TemplatePart[]>();
    /** What is rendered now. */
    private within = "";

    constructor(
        private readonly templates: ReadonlyMap<string, readonly TemplatePart[]>,
        private readonly values: HelmValues,
    ) {}

    /** How much has been found. */
    get count(): number {
        return Object.values(this.found).reduce((sum, { size }) => sum + size, 0);
    }

    reads(): Reads {
        const { named, whole, printed, asked } = this.found;
        return {
            named: [...named.values()],
            whole: [...whole.values()],
            printed: [...printed.values()],
            asked: [...asked.values()],
        };
    }

    private note(path: Path, as: keyof Reads): void {
        this.found.named.set(pathKey(path), path);
        this.found[as].set(pathKey(path), path);
    }

    renderFile(parts: readonly TemplatePart[]): void {
        this.included = new Map();
        this.print(this.render(parts, this.context));
    }

    /** What Helm gives a template: of all that, only the values count. */
    private readonly context: Value = [
        {
            is: "dict",
            site: this,
            entries: new Map<string, Value>([
                ["Values", [{ is: "path", path: [] }]],
                ...["Release", "Chart", "Capabilities", "Template", "Files", "Subcharts"].map(
                    (name): [string, Value] => [name, unknown],
                ),
            ]),
            merged: [],
        },
    ];

    /** What a template prints of the values as text. */
    private render(parts: readonly TemplatePart[], dot: Value, scope = new Scope()): Value {
        if (scope.get("$").length === 0) {
            scope.declare("$", dot);
        }
        return union(...parts.map((part) => this.part(part, dot, scope)));
    }

    private part(part: TemplatePart, dot: Value, scope: Scope): Value {
        switch (part.is) {
            case "print": {
                const value = this.pipeline(part.pipeline, dot, scope);
                if (part.pipeline.variables.length > 0) {
                    return [];
                }
                this.printPlain(value);
                return value.filter(({ is }) => is === "text" || is === "constant");
            }
            case "template":
                return this.include(
                    [{ is: "constant", value: part.name }],
                    part.pipeline ? this.pipeline(part.pipeline, dot, scope) : [],
                );
            case "range":
                return this.range(part.pipeline, part.body, part.otherwise, dot, scope);
            default: {
                let printed: Value = [];
                scope.within(() => {
                    const value = this.pipeline(part.pipeline, dot, scope);
                    this.name(value);
                    const other = scope.copy();
                    printed = union(
                        // What is never there, no one looks into.
                        value.length > 0 ? this.render(part.body, part.is === "with" ? value : dot, scope) : [],
                        this.render(part.otherwise, dot, other),
                    );
                    scope.join(other);
                });
                return printed;
            }
        }
    }

    private range(
        pipeline: Pipeline,
        body: readonly TemplatePart[],
        otherwise: readonly TemplatePart[],
        dot: Value,
        scope: Scope,
    ): Value {
        const over = this.pipeline({ ...pipeline, variables: [] }, dot, scope);
        const printed: Value[] = [];
        const once = (key: Value, element: Value) => {
            scope.within(() => {
                const [first, second] = pipeline.variables;
                if (second !== undefined && first !== undefined) {
                    scope.declare(first, key);
                    scope.declare(second, element);
                } else if (first !== undefined) {
                    scope.declare(first, element);
                }
                printed.push(this.render(body, element, scope));
            });
        };
        const elements = over.flatMap((atom) => this.elements(atom));
        this.name(union(over, ...elements.map(({ value }) => value)));
        const isOneList = over.filter(({ is }) => is !== "constant").every(({ is }) => is === "list");
        if (isOneList && over.filter(({ is }) => is === "list").length === 1) {
            elements.forEach(({ key, value }) => {
                once(key, value);
            });
        } else {
            // Once for what is read before anything is assigned, once for what is read after.
            for (let round = 0; round < 2; round++) {
                for (const { key, value } of elements.length > 0 ? elements : [{ key: unknown, value: unknown }]) {
                    const before = scope.copy();
                    once(key, value);
                    scope.join(before);
                }
            }
        }
        printed.push(this.render(otherwise, dot, scope));
        return union(...printed);
    }

    private elements(atom: Atom, seen = new Set<Atom>()): { readonly key: Value; readonly value: Value }[] {
        if (seen.has(atom)) {
            return [];
        }
        seen.add(atom);
        switch (atom.is) {
            case "path":
                // Who goes through all values means the chart's parts that are switched on: no other name is one of them.
                return atom.path.length === 0
                    ? Object.entries(this.values)
                          .filter(([, value]) => isMap(value) && Object.hasOwn(value, "enabled"))
                          .map(([key]) => ({ key: [{ is: "constant", value: key }], value: this.child([atom], key) }))
                    : [{ key: unknown, value: this.child([atom], "*") }];
            case "list":
                return atom.items.map((value) => ({ key: unknown, value }));
            case "dict":
                return [
                    ...[...atom.entries].map(([key, value]) => ({
                        key: key === "*" ? unknown : ([{ is: "constant", value: key }] as Value),
                        value,
                    })),
                    ...atom.merged.flatMap((each) => this.elements(each, seen)),
                ];
            default:
                return [];
        }
    }

    private pipeline({ variables, assigns, commands }: Pipeline, dot: Value, scope: Scope): Value {
        let value: Value | undefined;
        for (const command of commands) {
            value = this.command(command, value, dot, scope);
        }
        const result = value ?? [];
        for (const name of variables) {
            if (assigns) {
                scope.assign(name, result);
            } else {
                scope.declare(name, result);
            }
        }
        return result;
    }

    private command([first, ...rest]: readonly Operand[], last: Value | undefined, dot: Value, scope: Scope): Value {
        const given = rest.map((operand) => this.operand(operand, dot, scope));
        const args = last === undefined ? given : [...given, last];
        if (first === undefined) {
            return [];
        }
        if (first.is !== "function") {
            // What follows are the arguments of a method: of Helm's objects, not of values.
            const value = this.operand(first, dot, scope);
            return args.length > 0 ? unknown : value;
        }
        return this.call(first.name, args, first);
    }

    /** The map that a call makes: the same each time that it does so within one rendering of a named template. */
    private made(by: object): Dict {
        const all = this.dicts.get(by) ?? new Map<string, Dict>();
        this.dicts.set(by, all);
        const dict = all.get(this.within) ?? { is: "dict", site: by, entries: new Map(), merged: [] };
        all.set(this.within, dict);
        return dict;
    }

    private operand(operand: Operand, dot: Value, scope: Scope): Value {
        const below = (value: Value, names: readonly string[]) =>
            names.reduce((at, name) => this.child(at, name), value);
        switch (operand.is) {
            case "dot":
                return dot;
            case "field":
                return below(dot, operand.names);
            case "variable":
                return below(scope.get(operand.name), operand.names);
            case "text":
                return [{ is: "constant", value: operand.value }];
            case "pipeline": {
                const value = this.pipeline(operand.pipeline, dot, scope);
                return below(value, operand.names);
            }
            case "function":
                return this.call(operand.name, [], operand);
            case "number":
                return unknown;
            default:
                return [];
        }
    }

    private child(value: Value, key: string, seen = new Set<string>()): Value {
        return union(
            ...value.map((atom): Value => {
                const id = idOf(atom);
                if (seen.has(id)) {
                    return [];
                }
                seen.add(id);
                switch (atom.is) {
                    case "path": {
                        const path = [...atom.path, key];
                        return union(
                            [{ is: "path", path }],
                            this.set.get(pathKey(atom.path))?.get(key) ?? [],
                            this.child(this.mergedInto.get(pathKey(atom.path)) ?? [], key, seen),
                        );
                    }
                    case "dict":
                        return union(
                            key === "*"
                                ? union(...atom.entries.values())
                                : [...(atom.entries.get(key) ?? []), ...(atom.entries.get("*") ?? [])],
                            this.child(atom.merged, key, seen),
                        );
                    case "list":
                        return key === "*" ? union(...atom.items) : [];
                    case "unknown":
                        return unknown;
                    default:
                        return [];
                }
            }),
        );
    }

    private children(value: Value, key: Value): Value {
        return union(...keysOf(key).map((each) => this.child(value, each)));
    }

    private call(name: string, args: readonly Value[], by: object): Value {
        const [first = [], second = []] = args;
        const last = args.at(-1) ?? [];
        if (name === "ternary") {
            this.name(last);
        }
        if (choosing.has(name)) {
            return union(...(name === "required" || name === "ternary" ? args.slice(0, 2) : args));
        }
        if (merging.test(name)) {
            this.mergeInto(first, union(...args.slice(1)));
            return union(...args);
        }
        if (serializing.test(name)) {
            return [{ is: "text", of: first }];
        }
        if (parsing.test(name)) {
            return union(...first.map((atom) => (atom.is === "text" ? atom.of : unknown)));
        }
        if (typeFunctions.has(name)) {
            for (const atom of last) {
                if (atom.is === "path") {
                    this.note(atom.path, "asked");
                }
            }
            return unknown;
        }
        if (plainFunctions.has(name)) {
            args.forEach((each) => {
                this.print(each.filter(({ is }) => is !== "dict"));
            });
            return unknown;
        }
        switch (name) {
            case "include":
                return this.include(first, second);
            case "tpl":
                this.tpl(first, second);
                return union(this.passed([first]), unknown);
            case "dict": {
                const dict = this.made(by);
                for (let i = 0; i < args.length; i += 2) {
                    this.setIn(dict, args[i] ?? [], args[i + 1] ?? []);
                }
                return [dict];
            }
            case "set":
                for (const atom of first) {
                    if (atom.is === "dict") {
                        this.setIn(atom, second, last);
                    } else if (atom.is === "path") {
                        const keys = this.set.get(pathKey(atom.path)) ?? new Map<string, Value>();
                        this.set.set(pathKey(atom.path), keys);
                        for (const key of keysOf(second)) {
                            keys.set(key, union(keys.get(key) ?? [], last));
                        }
                    }
                }
                return first;
            case "deepCopy":
            case "mustDeepCopy": {
                const copy = this.made(by);
                copy.merged = union(copy.merged, first);
                return [copy];
            }
            case "unset":
            case "omit":
                return first;
            case "pick": {
                const picked = this.made(by);
                for (const key of args.slice(1)) {
                    this.setIn(picked, key, this.children(first, key));
                }
                return [picked];
            }
            case "hasKey":
                this.name(this.children(first, second));
                return unknown;
            case "get":
                return this.children(first, second);
            case "index":
                return args.slice(1).reduce((at, key) => this.children(at, key), first);
            case "dig":
                return union(
                    args.slice(0, -2).reduce((at, key) => this.children(at, key), last),
                    args.at(-2) ?? [],
                );
            case "pluck":
                return [{ is: "list", items: args.slice(1).map((each) => this.children(each, first)) }];
            case "list":
            case "tuple":
                return [{ is: "list", items: args }];
            case "values":
                return [{ is: "list", items: first.flatMap((atom) => this.elements(atom)).map(({ value }) => value) }];
            case "keys":
                this.name(this.child(union(...args), "*"));
                return unknown;
            case "first":
            case "mustFirst":
            case "last":
            case "mustLast":
                return union(...first.flatMap((atom) => this.elements(atom)).map(({ value }) => value));
            case "append":
            case "mustAppend":
            case "prepend":
                return [{ is: "list", items: unique([...this.items(first), second]) }];
            case "concat":
                return [{ is: "list", items: unique(args.flatMap((each) => this.items(each))) }];
            case "compact":
            case "uniq":
            case "mustUniq":
            case "sortAlpha":
            case "reverse":
            case "initial":
            case "rest":
            case "without":
            case "mustWithout":
                return first;
            default:
                if (name === "printf" && args.every((each) => each.every(({ is }) => is === "constant"))) {
                    return printfed(
                        args.map((each) => each.flatMap((atom) => (atom.is === "constant" ? atom.value : []))),
                    );
                }
                if (textFunctions.has(name)) {
                    const parts = name === "print" || name === "printf" ? args : [];
                    return union(
                        this.passed(args),
                        union(...parts).filter(({ is }) => is === "constant"),
                        unknown,
                    );
                }
                args.forEach((each) => {
                    this.takeWhole(each);
                });
                return unknown;
        }
    }

    /** Notes what is looked at without being printed. */
    private name(value: Value): void {
        for (const atom of value) {
            if (atom.is === "path") {
                this.note(atom.path, "named");
            } else if (atom.is === "dict") {
                this.name(atom.merged.filter(({ is }) => is === "path"));
            }
        }
    }

    /** The elements of lists. A place in the values may be a list as well. */
    private items(value: Value): Value[] {
        return value.flatMap((atom) =>
            atom.is === "list" ? atom.items : atom.is === "path" ? [this.child([atom], "*")] : [],
        );
    }

    private setIn(dict: Dict, key: Value, value: Value): void {
        for (const each of keysOf(key)) {
            dict.entries.set(each, union(dict.entries.get(each) ?? [], value));
        }
    }

    private mergeInto(into: Value, from: Value): void {
        for (const atom of into) {
            const others = from.filter((each) => each !== atom);
            if (atom.is === "dict") {
                atom.merged = union(atom.merged, others);
            } else if (atom.is === "path") {
                const merged = this.mergedInto.get(pathKey(atom.path)) ?? [];
                // What is merged into a place of which it is part would be found below itself, without end.
                const isPart = (path: Path) =>
                    merged.some(
                        (each) => each.is === "path" && isBelow(each.path, atom.path) && isBelow(path, each.path),
                    );
                this.mergedInto.set(
                    pathKey(atom.path),
                    union(
                        merged,
                        others.filter(
                            (each) =>
                                each.is !== "path" || !(pathKey(each.path) === pathKey(atom.path) || isPart(each.path)),
                        ),
                    ),
                );
            }
        }
    }

    /** What becomes part of a text. */
    private passed(args: readonly Value[]): Value {
        args.forEach((each) => {
            this.printPlain(each);
        });
        return union(...args).filter(({ is }) => is === "text");
    }

    /** Values that are printed without `toYaml`. */
    private printPlain(value: Value): void {
        for (const atom of value) {
            if (atom.is === "path") {
                this.note(atom.path, "printed");
            } else if (atom.is === "list") {
                atom.items.forEach((each) => {
                    this.printPlain(each);
                });
            } else if (atom.is === "dict") {
                this.takeWhole([atom]);
            }
        }
    }

    private print(value: Value): void {
        this.printPlain(value);
        this.takeWhole(value.filter(({ is }) => is === "text"));
    }

    private takeWhole(value: Value, seen = new Set<Atom>()): void {
        for (const atom of value.filter((each) => !seen.has(each))) {
            seen.add(atom);
            switch (atom.is) {
                case "path":
                    this.note(atom.path, "whole");
                    [...(this.set.get(pathKey(atom.path))?.values() ?? [])].forEach((each) => {
                        this.takeWhole(each, seen);
                    });
                    this.takeWhole(this.mergedInto.get(pathKey(atom.path)) ?? [], seen);
                    break;
                case "dict":
                    this.takeWhole(union(...atom.entries.values(), atom.merged), seen);
                    break;
                case "list":
                    this.takeWhole(union(...atom.items), seen);
                    break;
                case "text":
                    this.takeWhole(atom.of, seen);
                    break;
                default:
            }
        }
    }

    /** Renders templates that are among the defaults. */
    private tpl(text: Value, dot: Value): void {
        for (const template of text.flatMap((atom) => this.templatesIn(atom))) {
            this.nested(`tpl ${template}`, dot, () => {
                const parts = this.parsed.get(template) ?? parseTemplate(template).parts;
                this.parsed.set(template, parts);
                return this.render(parts, dot);
            });
        }
    }

    private templatesIn(atom: Atom, seen = new Set<Atom>()): string[] {
        if (seen.has(atom)) {
            return [];
        }
        seen.add(atom);
        switch (atom.is) {
            case "path":
                return atom.path.includes("*") ? textsIn(this.values) : textsIn(valueAt(this.values, atom.path));
            case "constant":
                return textsIn(atom.value);
            case "text":
                return atom.of.flatMap((each) => this.templatesIn(each, seen));
            case "dict":
                return [...atom.entries.values(), atom.merged].flat().flatMap((each) => this.templatesIn(each, seen));
            case "list":
                return atom.items.flat().flatMap((each) => this.templatesIn(each, seen));
            default:
                return [];
        }
    }

    private include(name: Value, dot: Value): Value {
        const known = keysOf(name).filter((each) => this.templates.has(each));
        // Templates include a whole file for its checksum: it is rendered with the others.
        const isFile = keysOf(name).some((each) => each.includes("/"));
        const isConstant = name.length > 0 && name.every(({ is }) => is === "constant");
        const names = isConstant || isFile ? known : [...this.templates.keys()];
        return union(
            ...names.map((each) =>
                this.nested(`include ${each}`, dot, () => this.render(this.templates.get(each) ?? [], dot)),
            ),
        );
    }

    private nested(what: string, dot: Value, act: () => Value): Value {
        const key = `${what}\n${described(dot, 2)}`;
        const known = this.included.get(key);
        if (known || this.depth > 30) {
            return known ?? unknown;
        }
        this.included.set(key, unknown);
        const { within } = this;
        this.within = key;
        this.depth++;
        const printed = union(act(), unknown);
        this.depth--;
        this.within = within;
        this.included.set(key, printed);
        return printed;
    }
}

function textsIn(value: HelmValue | undefined): string[] {
    if (typeof value === "string") {
        return value.includes("{{") ? [value] : [];
    }
    return isMap(value) ? Object.values(value).flatMap(textsIn) : Array.isArray(value) ? value.flatMap(textsIn) : [];
}

/** The keys that a value can be: any, where that is not known. */
function keysOf(value: Value): string[] {
    const constants = value.flatMap((atom) => (atom.is === "constant" && atom.value !== "" ? [atom.value] : []));
    return value.some(({ is }) => is === "unknown" || is === "path" || is === "text") ? [...constants, "*"] : constants;
}

/** Every text that `printf` makes of constants. */
function printfed([formats = [], ...args]: readonly string[][]): Value {
    const texts = args.reduce(
        (all, values) => all.flatMap((text) => values.map((value) => text.replace(/%[sv]/, () => value))),
        formats,
    );
    return union(...texts.map((value): Value => [{ is: "constant", value }]));
}

function paths(): Map<string, Path> {
    return new Map();
}

function isBelow(path: Path, above: Path): boolean {
    return path.length > above.length && above.every((key, i) => path[i] === key);
}

function pathKey(path: Path): string {
    return path.join("\0");
}

const numbers = new WeakMap<object, number>();
let count = 0;

function described(value: Value, depth: number): string {
    return value
        .map((atom): string => {
            switch (atom.is) {
                case "path":
                    return `.${atom.path.join(".")}`;
                case "constant":
                    return JSON.stringify(atom.value);
                case "unknown":
                    return "?";
                case "text":
                    return `text(${described(atom.of, depth)})`;
                case "list":
                    return `[${atom.items.map((each) => described(each, depth - 1)).join()}]`;
                case "dict": {
                    if (depth <= 0) {
                        return numbered(atom.site);
                    }
                    const entries = [...atom.entries].map(([key, each]) => `${key}:${described(each, depth - 1)}`);
                    return `{${entries.sort().join()}|${described(atom.merged, depth - 1)}}`;
                }
            }
        })
        .sort()
        .join("+");
}

function numbered(object: object): string {
    numbers.set(object, numbers.get(object) ?? ++count);
    return `#${String(numbers.get(object))}`;
}

function idOf(atom: Atom): string {
    switch (atom.is) {
        case "dict":
            return numbered(atom);
        case "list":
            return `[${atom.items.map((each) => each.map(idOf).sort().join("+")).join()}]`;
        case "text":
            return `text ${atom.of.map(idOf).sort().join()}`;
        default:
            return described([atom], 0);
    }
}

function union(...values: readonly Value[]): Value {
    const all = values.filter((each) => each.length > 0);
    const [only = []] = all;
    return all.length <= 1 ? only : [...new Map(all.flat().map((atom) => [idOf(atom), atom])).values()];
}

function unique(values: readonly Value[]): Value[] {
    return [...new Map(values.map((each) => [each.map(idOf).join(), each])).values()];
}
