import {
    createServer,
    request as httpRequest,
    type IncomingMessage,
    type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';

/** What happens to one request on its way. */
export type WireFault =
    | 'unavailable' // 503, and the server never hears of it
    | 'lost' // the server does it, and answers 500
    | 'cut' // the server does it, and the connection breaks before the answer
    | 'reset' // the connection breaks in mid-body
    | 'short' // the body ends early, and the connection with it
    | 'shrunk' // half of the object, as if it were all of it
    | 'stall' // half of the body, then silence
    | 'slow' // the body comes in small pieces
    | 'bytes'; // another byte in the middle of the body, same length and etag

/** A request as a rule sees it. */
export interface WireRequest {
    /** Counted from 1. */
    readonly number: number;
    readonly method: string;
    /** Path and query: `/bucket/key`. */
    readonly path: string;
}

/** A server between us and S3, on loopback, that does to each request what the rule says. */
export interface S3Proxy {
    readonly endpoint: string;
    /** From now on. */
    rule(of: (request: WireRequest) => WireFault | null): void;
    /** What it did, in order, as `reset GET /bucket/key`. */
    readonly struck: readonly string[];
    stop(): Promise<void>;
}

/**
 * @param conditional true when the server behind knows `If-None-Match`; the embedded one does not, so the
 *     proxy looks for it.
 */
export async function startProxy(target: string, conditional: boolean): Promise<S3Proxy> {
    let rule: (request: WireRequest) => WireFault | null = () => null;
    const struck: string[] = [];
    let number = 0;
    const server = createServer(async (request, response) => {
        number += 1;
        const { method = '', url: path = '' } = request;
        const fault = rule({ number, method, path });
        if (fault) struck.push(`${fault} ${method} ${path}`);
        const body = await bodyOf(request);
        if (fault === 'unavailable') return refuse(response, 503, 'SlowDown');
        if (!conditional && request.headers['if-none-match'] === '*') {
            const found = await fetch(`${target}${path}`, { method: 'HEAD' });
            if (found.ok) return refuse(response, 412, 'PreconditionFailed');
        }
        const answer = await forward(target, request, body);
        if (fault === 'lost') return refuse(response, 500, 'InternalError');
        if (fault === 'cut') return void response.destroy();
        return give(response, answer, fault);
    });
    server.listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    return {
        endpoint: `http://127.0.0.1:${port}`,
        rule: (of) => {
            rule = of;
            number = 0;
        },
        struck,
        stop: async () => {
            server.closeAllConnections();
            await new Promise((resolve) => server.close(resolve));
        },
    };
}

async function bodyOf(stream: IncomingMessage): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks);
}

function refuse(response: ServerResponse, status: number, code: string): void {
    response.writeHead(status, { 'content-type': 'application/xml' });
    response.end(`<?xml version="1.0"?><Error><Code>${code}</Code></Error>`);
}

interface Answer {
    readonly status: number;
    readonly headers: IncomingMessage['headers'];
    readonly body: Buffer;
}

/** The very headers: the signature is over the name of the host that the client asked. */
function forward(target: string, { method, url, headers }: IncomingMessage, body: Buffer) {
    return new Promise<Answer>((resolve, reject) => {
        const sent = httpRequest(`${target}${url}`, { method, headers }, async (answer) => {
            const { statusCode: status = 500, headers: told } = answer;
            resolve({ status, headers: told, body: await bodyOf(answer) });
        });
        sent.on('error', reject);
        sent.end(body);
    });
}

async function give(
    response: ServerResponse,
    { status, headers, body }: Answer,
    fault: WireFault | null,
): Promise<void> {
    const half = Math.floor(body.length / 2);
    const { 'transfer-encoding': _, ...kept } = headers;
    const length = fault === 'shrunk' ? half : body.length;
    const isHead = response.req.method === 'HEAD';
    response.writeHead(status, isHead ? kept : { ...kept, 'content-length': length });
    if (fault === 'bytes') {
        const copy = Buffer.from(body);
        copy[half] = (copy[half] ?? 0) ^ 1;
        response.end(copy);
    } else if (fault === 'slow') {
        const size = Math.max(1, Math.ceil(body.length / 10));
        for (let at = 0; at < body.length; at += size) {
            response.write(body.subarray(at, at + size));
            await setTimeout(20);
        }
        response.end();
    } else if (fault === 'reset' || fault === 'short' || fault === 'stall') {
        response.write(body.subarray(0, half));
        if (fault === 'stall') return;
        await setTimeout(20);
        if (fault === 'reset') response.socket?.resetAndDestroy();
        else response.socket?.end();
    } else {
        response.end(body.subarray(0, length));
    }
}
