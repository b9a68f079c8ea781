import js from "@eslint/js";
import pulumi from "@pulumi/eslint-plugin";
import imports from "eslint-plugin-import-x";
import tseslint from "typescript-eslint";

/** The layers, the lowest first: each imports from those before it only. What shares a line does not know of each other. */
const layers = [
    ["core/lib"],
    ["core/charts"],
    ["core/settings"],
    ["core/collectors"],
    ["core/routes"],
    ["core/review", "core/adopt"],
    ["components", "live"],
    ["stacks"],
    ["cli"],
    ["tools"],
    ["test"],
];

const wholePackages = {
    paths: ["@pulumi/aws", "@pulumi/kubernetes", "@pulumi/random"].map((name) => ({
        name,
        message: "Import the one module that is needed: the whole package slows the type checker down.",
    })),
};

/** What core/ does not use: it is pure, and nothing in it waits for anything. */
const outside = {
    regex: "^(@pulumi/|@aws-sdk/|@kubernetes/|(node:)?(child_process|http|https|net|os|timers))",
    message: "core/ is pure: no Pulumi, no network, no process.",
};

function importsOf(folder, level) {
    const others = layers.flatMap((names, i) => (i >= level ? names.filter((name) => name !== folder) : []));
    const above = others.map((name) => name.replace("core/", "(core/)?")).join("|");
    const upwards = {
        regex: `^(\\.\\./)+(${above})(/|$)`,
        message: `${folder}/ imports from layers below it only (eslint.config.mjs).`,
    };
    return {
        files: [`${folder}/**/*.ts`],
        rules: {
            "no-restricted-imports": [
                "error",
                { ...wholePackages, patterns: folder.startsWith("core/") ? [upwards, outside] : [upwards] },
            ],
        },
    };
}

export default tseslint.config(
    { ignores: ["node_modules/", "out/"] },
    js.configs.recommended,
    {
        files: ["**/*.ts"],
        extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
        plugins: { "@pulumi": pulumi, "import-x": imports },
        settings: {
            "import-x/extensions": [".ts", ".js"],
            "import-x/parsers": { "@typescript-eslint/parser": [".ts"] },
            "import-x/resolver-next": [imports.createNodeResolver({ extensions: [".ts", ".js", ".json"] })],
        },
        languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
        rules: {
            "@pulumi/no-output-in-template-literal": "error",
            "@pulumi/no-output-instance-in-template-literal": "error",
            "no-restricted-imports": ["error", wholePackages],
            "import-x/no-cycle": ["error", { ignoreExternal: true }],
            "no-restricted-syntax": [
                "error",
                {
                    selector: "ImportDeclaration[source.value='yaml'] > ImportSpecifier[imported.name='stringify']",
                    message:
                        "Write with core/lib/yaml/write.ts: what this writes is something else to readers of YAML 1.1.",
                },
            ],
            // A program exports a function (`export =`), and a component does its work in its constructor.
            "@typescript-eslint/no-require-imports": ["error", { allowAsImport: true }],
            "@typescript-eslint/no-unused-vars": ["error", { varsIgnorePattern: "^_", argsIgnorePattern: "^_" }],
            "no-new": "off",
        },
    },
    ...layers.flatMap((names, level) => names.map((name) => importsOf(name, level))),
    {
        files: ["**/*.js"],
        languageOptions: {
            sourceType: "commonjs",
            globals: {
                require: "readonly",
                module: "writable",
                process: "readonly",
                console: "readonly",
                __dirname: "readonly",
            },
        },
    },
    {
        // Tests, and what they run on, reach into recorded objects of any shape; a wrong step fails the test.
        files: ["test/**/*.ts", "tools/servers/**/*.ts", "tools/engine/**/*.ts"],
        rules: Object.fromEntries(
            ["no-explicit-any", "no-non-null-assertion", "no-base-to-string", "restrict-template-expressions"]
                .concat("no-unsafe-member-access", "no-unsafe-assignment", "no-unsafe-call", "no-unsafe-return")
                .concat("no-unsafe-argument")
                .map((name) => [`@typescript-eslint/${name}`, "off"])
                .concat([["no-restricted-syntax", "off"]]),
        ),
    },
);
