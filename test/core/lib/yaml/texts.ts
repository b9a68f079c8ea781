import fc from "fast-check";

/** Runs of a property: as many as FUZZ_RUNS says, else so many. */
export function runs(usual: number): { numRuns: number } {
    return { numRuns: Number(process.env.FUZZ_RUNS ?? usual) };
}

/** Text that some reader of YAML takes for something else, or for YAML's own signs. */
export const words = [
    ...["no", "n", "N", "No", "NO", "y", "Y", "yes", "Yes", "on", "ON", "off", "Off", "true", "TRUE", "tRue", "false"],
    ...["", "~", "null", "Null", "NULL", "=", "<<", ".inf", "-.Inf", "+.INF", ".nan", ".NaN", "inf", "nan", "e", "e3"],
    ...[
        "0",
        "-0",
        "00",
        "08",
        "010",
        "0o7",
        "0O7",
        "0b1",
        "0B1",
        "0x1F",
        "0X1f",
        "0_x1F",
        "1_000",
        "1__0",
        "1_",
        "-_1",
    ],
    ...["_1", "+1", "-1", "5.", ".5", "+.5", "-.5", "._5", "1e3", "1E3", "1e+3", "1.e3", ".1e3", "1e400", "0x1p3"],
    ...["1:30", "190:20:30", "190:20:30.15", "12345678901234567890", "123456789012345678901234567890", "1.10", "1.5.3"],
    ...["2001-01-01", "2001-1-1", "2001-01-01T00:00:00Z", "2001-12-14 21:59:43.10 -5", "2001-12-14t21:59:43.10-05:00"],
    ...["30d", "100Gi", "0.0.0.0:4317", "${env:HOST}:9090", "https://a.example:1/b?c=d#e", "{{ .Values.x }}", "`x`"],
    ...[
        "-",
        "--",
        "---",
        "--- a",
        "...",
        "... a",
        "- a",
        "?",
        "? a",
        ":",
        "::",
        "a:",
        "a: b",
        ": a",
        "#a",
        "a #b",
        "a#",
    ],
    ...[
        "!a",
        "&a",
        "*a",
        "%a",
        "@a",
        "|",
        ">",
        "|-\n a",
        "[a",
        "a]",
        "{a",
        "a}",
        "a,b",
        "'",
        '"',
        "a'b\"c",
        "''",
        "\\",
        "\\n",
    ],
    ...[
        " ",
        "\t",
        "\n",
        "\n\n",
        " a",
        "a ",
        "\ta",
        "a\t",
        "a\tb",
        "a\n",
        "\na",
        "a\nb",
        "a\n\nb\n\n\n",
        " a\nb",
        "a\n b",
    ],
    ...[
        "\ta\nb",
        "a\n\tb",
        "a\n \n",
        "a \nb",
        "a\r\nb",
        "\r",
        "# a\nb",
        "- a\n- b\n",
        "a: b\n# c\n",
        "---\na",
        "a\n---\nb",
    ],
    ...[
        "a\n...\n",
        "%YAML 1.1\na",
        "\0",
        "\u0007",
        "\u001b",
        "\u007f",
        "\u0085",
        "a\u0085b",
        "\u00a0",
        "\u2028a",
        "a\u2029",
    ],
    ...["\ufeff", "a\ufeff", "\ufffe", "é", "日本", "\u{1f600}", "x".repeat(200), "x y ".repeat(400)],
];

const word = fc.constantFrom(...words);

/** Text of every kind, well formed. */
export const text: fc.Arbitrary<string> = fc.oneof(
    word,
    word,
    fc.tuple(word, word).map(([a, b]) => a + b),
    fc.stringMatching(/^[-+_.:0-9eExXobTZ ]{1,8}$/),
    fc.stringMatching(/^[a1 \n\t#:"'\\_.\r|`{\u2028-]{1,12}$/),
    fc.string({ unit: "grapheme" }),
    fc.string({ unit: "binary" }),
);

/** Whatever JSON has, keys included. */
export const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
        { depthSize: "small" },
        { weight: 4, arbitrary: text },
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.maxSafeInteger(),
        fc.constantFrom(0, 1e21, 1e-7, 1.5e300, 2 ** 53, 100_000_000, 0.1, true, false, null),
        fc.array(tie("value"), { maxLength: 4 }),
        fc.dictionary(text, tie("value"), { maxKeys: 4, noNullPrototype: true }),
    ),
}));

/** A value as it can be compared: JSON, with keys in order, and one zero. */
export function canonical(value: unknown): string {
    return JSON.stringify(value, (_, inner: unknown) =>
        typeof inner === "bigint"
            ? Number(inner)
            : typeof inner === "object" && inner !== null && !Array.isArray(inner)
              ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
              : inner,
    );
}
