import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** What somebody posted. */
export interface Received {
    readonly method: string;
    readonly path: string;
    readonly headers: IncomingHttpHeaders;
    readonly body: string;
}

/** A status, a redirect, or no answer at all. */
export type Reply = number | { readonly location: string } | 'silence';

export interface Receiver {
    readonly url: string;
    readonly received: readonly Received[];
    readonly stop: () => Promise<void>;
}

/** A server on this machine that keeps what it gets and replies in turn; the last reply stays. */
export async function receiver(...replies: readonly Reply[]): Promise<Receiver> {
    const received: Received[] = [];
    const server = createServer(async (request: IncomingMessage, response) => {
        const { method = '', url = '', headers } = request;
        received.push({ method, path: url, headers, body: await text(request) });
        const reply = replies[received.length - 1] ?? replies.at(-1) ?? 200;
        if (reply === 'silence') return;
        if (typeof reply === 'number') response.writeHead(reply);
        else response.writeHead(307, { location: reply.location });
        response.end('{}');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    return {
        url: `http://127.0.0.1:${port}`,
        received,
        stop: async () => {
            server.closeAllConnections();
            server.close();
            await once(server, 'close');
        },
    };
}
