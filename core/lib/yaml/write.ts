import { Document, Scalar, visit, type ScalarTag } from "yaml";

/**
 * Text that some reader reads as something else if it has no quotes: words and numbers of YAML 1.1 (base 60, octal, binary and with
 * underscores included), its dates, `=` and `<<`. Go's readers add more (sigs.k8s.io/yaml 1.6.0, as in Helm and Kubernetes, and
 * yaml.v3 3.0.1, as in Pulumi; tried 2026-11-27). Underscores are removed first, as in Go.
 */
const ambiguous = [
    /^(|y|n|yes|no|on|off|true|false|null|~|=|<<)$/i,
    /^[-+]?\.(inf|nan)$/i,
    /^[-+]?0[box][\da-f]*$/i,
    /^(?!\d+\.\d+\.)(?=.*[.\d])[-+.:\deTZ\s]+$/i,
    /\t/,
];

/** What a reader of YAML 1.1 refuses, or reads as the end of a line, without quotes. */
// eslint-disable-next-line no-control-regex
const unprintable = /[\0-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/;

/** What every reader finds in a block (`|`) as it was: its first line tells the indentation, so it begins with no blank. */
const block = /^[^\s#]/;

/** Numbers with an exponent, which YAML 1.1 reads as text if they have no point. */
const exponential: ScalarTag = {
    tag: "tag:yaml.org,2002:float",
    default: true,
    test: /^-?\d\.0e[-+]\d+$/,
    identify: (value) => typeof value === "number" && /^-?\de/.test(String(value)),
    resolve: Number,
    stringify: ({ value }) => String(value).replace("e", ".0e"),
};

/**
 * YAML that every reader takes for the same, keys included: those of YAML 1.1, such as Helm's and Kubernetes' own, and those of
 * 1.2. Whatever is written for somebody else to read is written by this.
 */
export function writeYaml(value: unknown): string {
    const document = new Document(value, {
        aliasDuplicateObjects: false,
        customTags: (tags) => [exponential, ...tags],
    });
    visit(document, {
        Scalar(_, scalar) {
            if (typeof scalar.value === "string" && !isPlain(scalar.value)) {
                scalar.type = Scalar.QUOTE_DOUBLE;
            }
        },
    });
    // Unprintable characters need double quotes, where they can be escaped.
    return document
        .toString({ lineWidth: 0, doubleQuotedAsJSON: true })
        .replace(
            new RegExp(unprintable, "g"),
            (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
        );
}

function isPlain(text: string): boolean {
    return (
        !unprintable.test(text) &&
        (text.includes("\n") ? block.test(text) : !ambiguous.some((look) => look.test(text.replaceAll("_", ""))))
    );
}
