import js from "@eslint/js";
import pulumi from "@pulumi/eslint-plugin";
import tseslint from "typescript-eslint";

export default tseslint.config(
    { ignores: ["node_modules/", "out/"] },
    js.configs.recommended,
    {
        files: ["**/*.ts"],
        extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
        plugins: { "@pulumi": pulumi },
        languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
        rules: {
            "@pulumi/no-output-in-template-literal": "error",
            "@pulumi/no-output-instance-in-template-literal": "error",
            "no-restricted-imports": [
                "error",
                {
                    paths: ["@pulumi/aws", "@pulumi/kubernetes", "@pulumi/random"].map((name) => ({
                        name,
                        message: "Import the one module that is needed: the whole package slows the type checker down.",
                    })),
                },
            ],
            "no-restricted-syntax": [
                "error",
                {
                    selector: "ImportDeclaration[source.value='yaml'] > ImportSpecifier[imported.name='stringify']",
                    message: "Write with core/lib/yaml/write.ts: what this writes is something else to readers of YAML 1.1.",
                },
            ],
            // A program exports a function (`export =`), and a component does its work in its constructor.
            "@typescript-eslint/no-require-imports": ["error", { allowAsImport: true }],
            "@typescript-eslint/no-unused-vars": ["error", { varsIgnorePattern: "^_", argsIgnorePattern: "^_" }],
            "no-new": "off",
        },
    },
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
        files: ["test/**/*.ts", "tools/servers/**/*.ts"],
        rules: Object.fromEntries(
            ["no-explicit-any", "no-non-null-assertion", "no-base-to-string", "restrict-template-expressions"]
                .concat("no-unsafe-member-access", "no-unsafe-assignment", "no-unsafe-call", "no-unsafe-return")
                .concat("no-unsafe-argument")
                .map((name) => [`@typescript-eslint/${name}`, "off"])
                .concat([["no-restricted-syntax", "off"]]),
        ),
    },
);
