import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { TextDocument } from "vscode-languageserver-textdocument";
import { getLanguageService, type LanguageService } from "yaml-language-server";

import { examplesFolder, stackFilesIn } from "../../cli/stackFile";

/** A part of the schema for stack files. */
interface Schema {
    readonly description?: string;
    readonly enum?: readonly unknown[];
    readonly const?: unknown;
    readonly type?: string;
    readonly properties?: Readonly<Record<string, Schema>>;
    readonly additionalProperties?: unknown;
    readonly oneOf?: readonly Schema[];
    readonly anyOf?: readonly Schema[];
}

/** A setting by the keys that lead to it, with each thing that the schema says of it: one a variant. */
interface Setting {
    readonly path: readonly string[];
    readonly schemas: readonly Schema[];
}

function variants(schema: Schema): readonly Schema[] {
    return [schema, ...[...(schema.oneOf ?? []), ...(schema.anyOf ?? [])].flatMap(variants)];
}

function settingsBelow(schemas: readonly Schema[], path: readonly string[] = []): Setting[] {
    const all = schemas.flatMap(variants);
    const keys = [...new Set(all.flatMap(({ properties }) => Object.keys(properties ?? {})))];
    return keys.flatMap((key) => {
        const setting = { path: [...path, key], schemas: all.flatMap(({ properties }) => properties?.[key] ?? []) };
        return [setting, ...settingsBelow(setting.schemas, setting.path)];
    });
}

const root = JSON.parse(fs.readFileSync("stacks/stack-file.schema.json", "utf8")) as Schema;
const settings = settingsBelow([root]);
const top = "# yaml-language-server: $schema=stacks/stack-file.schema.json";

/** Lines that lead to a setting, each a level further in. */
function lines(keys: readonly string[]): string[] {
    return keys.map((key, depth) => `${"  ".repeat(depth)}${key}:`);
}

describe("the YAML server of VS Code", () => {
    let server: LanguageService;
    let version = 0;
    before(() => {
        server = getLanguageService({
            schemaRequestService: (uri) => fs.promises.readFile(fileURLToPath(uri), "utf8"),
            workspaceContext: { resolveRelativePath: (relative, from) => new URL(relative, from).href },
        });
        server.configure({ validate: true, hover: true, completion: true, schemas: [] });
    });

    /** It remembers what a document was in a version. */
    function open(text: string, file = "Pulumi.prod.yaml"): TextDocument {
        return TextDocument.create(pathToFileURL(file).href, "yaml", ++version, text);
    }
    const errorsIn = async (text: string, file?: string) =>
        (await server.doValidation(open(text, file), false)).map(({ message }) => message);
    const completions = async (body: readonly string[]) => {
        const text = [top, ...body].join("\n");
        const { items } = await server.doComplete(
            open(text),
            { line: body.length, character: body.at(-1)!.length },
            false,
        );
        return new Map(items.map(({ label, documentation }) => [label, documentation]));
    };

    it("has nothing to say of the examples, where they are and copied to where a stack file belongs", async () => {
        const files = [
            ...stackFilesIn(examplesFolder).map((name) => path.join(examplesFolder, name)),
            "Pulumi.dev.yaml",
        ];
        assert.equal(files.length, 10);
        for (const file of files) {
            const text = fs.readFileSync(file, "utf8");
            for (const at of [file, "Pulumi.prod.yaml"]) {
                assert.deepEqual(await errorsIn(text, at), [], `${file} as ${at}`);
                // The schema was found: it is said what is not in it.
                assert.deepEqual(await errorsIn(`${text}\n  kof:rute: none\n`, at), [
                    "Property kof:rute is not allowed.",
                ]);
            }
        }
    });

    /** Whether the server shows what one variant of a setting is for. It marks characters that Markdown knows. */
    const isExplained = ({ schemas }: Setting, shown: unknown) => {
        const text = JSON.stringify(shown ?? "").replaceAll("\\", "");
        return schemas.some(({ description = "?" }) => text.includes(JSON.stringify(description).slice(1, -1)));
    };

    it("explains every setting", async () => {
        for (const setting of settings) {
            const body = lines(setting.path);
            const at = { line: body.length, character: 2 * (body.length - 1) };
            const hover = await server.doHover(open([top, ...body].join("\n")), at);
            assert.ok(isExplained(setting, hover?.contents), `${setting.path.join(".")}: ${JSON.stringify(hover)}`);
        }
    });

    it("completes every setting, and says what it is for", async () => {
        for (const setting of settings) {
            const above = setting.path.slice(0, -1);
            const found = await completions([...lines(above), "  ".repeat(above.length)]);
            assert.ok(isExplained(setting, found.get(setting.path.at(-1)!)), setting.path.join("."));
        }
    });

    it("completes every value of those that have a few", async () => {
        let count = 0;
        for (const { path: keys, schemas } of settings) {
            const values = schemas.flatMap(({ enum: few, const: only, type }) =>
                only === undefined ? (few ?? (type === "boolean" ? [true, false] : [])) : [only],
            );
            if (values.length > 0) {
                const body = lines(keys);
                const found = await completions([...body.slice(0, -1), `${body.at(-1)!} `]);
                assert.deepEqual(
                    values.map(String).filter((value) => !found.has(value)),
                    [],
                    keys.join("."),
                );
                count++;
            }
        }
        assert.ok(count > 10);
    });

    it("marks a value of another type, one that is not among a few, and a key that a map does not have", async () => {
        for (const { path: keys, schemas } of settings) {
            const [schema = {}] = schemas;
            const mistakes = [
                ...(schema.type === undefined ? [] : [schema.type === "object" ? " 1" : " {}"]),
                ...(schema.enum === undefined ? [] : [" wrong"]),
                ...(schemas.flatMap(variants).some((each) => each.additionalProperties === false)
                    ? [`\n${"  ".repeat(keys.length)}wrong: 1`]
                    : []),
            ];
            for (const mistake of mistakes) {
                const text = [top, ...lines(keys)].join("\n") + mistake;
                const line = text.split("\n").length - 1;
                const found = await server.doValidation(open(text), false);
                assert.ok(
                    found.some(({ range }) => range.start.line === line),
                    `${text}\n${JSON.stringify(found)}`,
                );
            }
        }
    });
});
