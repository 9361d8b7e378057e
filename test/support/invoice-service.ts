import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** What goes wrong with a request: before it is done, after it is done, or instead of it. */
export const serviceFaults = ['reset', 'lost', '500', 'lost 500', '429', '503', '400'] as const;
export type ServiceFault = (typeof serviceFaults)[number];

export interface InvoiceService {
    readonly url: string;
    /** Invoices by key, and how often each was put. */
    readonly books: ReadonlyMap<string, { readonly body: string; readonly puts: number }>;
    /** Requests in order, as `PUT`. */
    readonly requests: readonly string[];
    readonly stop: () => Promise<void>;
}

/**
 * A service that takes invoices as docs/deliveries.md says, and fails as told.
 * @param faultOf what goes wrong with a request, by its number from 1.
 */
export async function invoiceService(
    faultOf: (number: number) => ServiceFault | null = () => null,
): Promise<InvoiceService> {
    const books = new Map<string, { body: string; puts: number }>();
    const requests: string[] = [];
    const doIt = (method: string, key: string, body: string): [number, string] => {
        if (method === 'PUT') {
            books.set(key, { body, puts: (books.get(key)?.puts ?? 0) + 1 });
            return [204, ''];
        }
        const found = books.get(key);
        if (!found) return [404, '{}'];
        const { line_count, amount, currency } = JSON.parse(found.body);
        return [200, JSON.stringify({ line_count, amount, currency })];
    };
    const reply = async (request: IncomingMessage, response: ServerResponse) => {
        const { method = '', url = '' } = request;
        requests.push(method);
        const fault = faultOf(requests.length);
        const body = await text(request);
        if (fault === 'reset') return request.socket.destroy();
        const isDone = fault === null || fault.startsWith('lost');
        const [status, answer] = isDone
            ? doIt(method, decodeURIComponent(url.split('/').at(-1) ?? ''), body)
            : [Number.parseInt(fault, 10), ''];
        if (fault === 'lost') return request.socket.destroy();
        response.writeHead(
            fault === 'lost 500' ? 500 : status,
            fault === '429' ? { 'retry-after': '0' } : {},
        );
        response.end(answer);
    };
    const server = createServer((request, response) => void reply(request, response));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    return {
        url: `http://127.0.0.1:${port}/invoices`,
        books,
        requests,
        stop: async () => {
            server.closeAllConnections();
            server.close();
            await once(server, 'close');
        },
    };
}
