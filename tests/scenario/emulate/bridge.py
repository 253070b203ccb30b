"""Runs a program in a network namespace of its own, where its listening on all
interfaces reaches nobody, and bridges ports of both sides over Unix sockets,
which namespaces do not part.

    unshare -n bridge.py inside FOLDER PORT OUR_PORT COMMAND…
    bridge.py outside FOLDER PORT OUR_PORT

Outside, PORT on loopback leads to the program's PORT inside. Inside, OUR_PORT on
loopback leads to OUR_PORT outside."""

import asyncio
import contextlib
import ctypes
import fcntl
import signal
import socket
import struct
import sys


async def _pour(reader, writer):
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


def _onward(connect, *address):
    """Carries a connection on to somewhere."""
    async def carry(reader, writer):
        try:
            there, back = await connect(*address)
        except OSError:
            writer.close()
            return
        await asyncio.gather(_pour(reader, back), _pour(there, writer))
    return carry


def _loopback_up():
    """Without iproute2: SIOCGIFFLAGS, SIOCSIFFLAGS of linux/sockios.h."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sH14s", b"lo", 0, b"")
        _, flags, _ = struct.unpack(
            "16sH14s", fcntl.ioctl(any_socket, 0x8913, request))
        fcntl.ioctl(any_socket, 0x8914,
                    struct.pack("16sH14s", b"lo", flags | 1, b""))


def _end_with_parent():
    """PR_SET_PDEATHSIG, SIGKILL: whoever started us may be killed."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


async def inside(folder, port, our_port, *command):
    """The namespace's end, and the program."""
    _loopback_up()
    await asyncio.start_unix_server(_onward(
        asyncio.open_connection, "127.0.0.1", port), folder + "/in")
    await asyncio.start_server(_onward(
        asyncio.open_unix_connection, folder + "/out"), "127.0.0.1", our_port)
    program = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL,
        preexec_fn=_end_with_parent)
    asyncio.get_running_loop().add_signal_handler(
        signal.SIGTERM, program.kill)
    await program.wait()


async def outside(folder, port, our_port):
    """Our end."""
    await asyncio.start_unix_server(_onward(
        asyncio.open_connection, "127.0.0.1", our_port), folder + "/out")
    server = await asyncio.start_server(_onward(
        asyncio.open_unix_connection, folder + "/in"), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    _end_with_parent()
    asyncio.run({"inside": inside, "outside": outside}[sys.argv[1]](
        *sys.argv[2:]))
