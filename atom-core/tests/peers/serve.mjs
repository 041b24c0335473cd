// Listens on the port of the command line, or a free one, and ends with the process that started it.
export async function serveUntilParentLeaves(server, listen = server.listen) {
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    listen.call(server, Number(process.argv[2] ?? 0), '127.0.0.1', resolve);
  });
  process.stdin.on('end', () => process.exit()).resume();
  return `http://127.0.0.1:${server.address().port}`;
}
