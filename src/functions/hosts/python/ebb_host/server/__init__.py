"""An HTTP/1.1 server on an asyncio loop, made for one client that keeps its connections: ebb's router."""
