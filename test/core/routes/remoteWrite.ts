/*
 * What Prometheus remote write 1.0 sends: Protobuf, compressed with Snappy (prompb/remote.proto and prompb/types.proto).
 */

/** One point of a series. */
export interface Sample {
    readonly labels: Readonly<Record<string, string>>;
    readonly value: number;
    /** In milliseconds since 1970. */
    readonly timestamp: number;
}

/** The samples of a request. */
export function samplesOf(body: Buffer): Sample[] {
    return messages(fieldsOf(uncompressed(body)), 1).flatMap((series) => {
        const labels = Object.fromEntries(
            messages(series, 1).map((label) => [textOf(label, 1), textOf(label, 2)] as const),
        );
        return messages(series, 2).map((sample) => ({
            labels,
            value: sample.find(({ field }) => field === 1)?.bytes.readDoubleLE() ?? 0,
            timestamp: sample.find(({ field }) => field === 2)?.number ?? 0,
        }));
    });
}

interface Field {
    readonly field: number;
    readonly number: number;
    readonly bytes: Buffer;
}

function messages(fields: readonly Field[], field: number): Field[][] {
    return fields.filter((each) => each.field === field).map(({ bytes }) => fieldsOf(bytes));
}

function textOf(fields: readonly Field[], field: number): string {
    return fields.find((each) => each.field === field)?.bytes.toString() ?? "";
}

/** The fields of a message, of the types that remote write has. */
function fieldsOf(message: Buffer): Field[] {
    const found: Field[] = [];
    for (let at = 0; at < message.length;) {
        const [tag, afterTag] = varint(message, at);
        const [field, type] = [Math.floor(tag / 8), tag % 8];
        if (type === 1) {
            at = afterTag + 8;
            found.push({ field, number: 0, bytes: message.subarray(afterTag, at) });
            continue;
        }
        const [number, after] = varint(message, afterTag);
        if (type !== 0 && type !== 2) {
            throw new Error(`a field of type ${String(type)}`);
        }
        at = type === 2 ? after + number : after;
        found.push({ field, number, bytes: message.subarray(after, at) });
    }
    return found;
}

function varint(buffer: Buffer, from: number): [number: number, next: number] {
    let [value, scale, at] = [0, 1, from];
    for (; ; at++, scale *= 128) {
        const byte = buffer.readUInt8(at);
        value += (byte & 127) * scale;
        if (byte < 128) {
            return [value, at + 1];
        }
    }
}

/** A block of Snappy (google/snappy, format_description.txt). */
function uncompressed(block: Buffer): Buffer {
    const [length, start] = varint(block, 0);
    const out = Buffer.alloc(length);
    let filled = 0;
    for (let at = start; at < block.length;) {
        const tag = block.readUInt8(at);
        at += 1;
        const kind = tag & 3;
        if (kind === 0) {
            // Above 60, the length follows in as many bytes.
            const extra = Math.max(0, (tag >> 2) - 59);
            const size = 1 + (extra === 0 ? tag >> 2 : block.readUIntLE(at, extra));
            at += extra;
            filled += block.copy(out, filled, at, at + size);
            at += size;
            continue;
        }
        const size = kind === 1 ? 4 + ((tag >> 2) & 7) : 1 + (tag >> 2);
        const width = kind === 3 ? 4 : kind;
        const offset = block.readUIntLE(at, width) + (kind === 1 ? (tag >> 5) << 8 : 0);
        at += width;
        // What is copied may overlap with where it goes.
        for (let copied = 0; copied < size; copied++, filled++) {
            out[filled] = out.readUInt8(filled - offset);
        }
    }
    return out;
}
