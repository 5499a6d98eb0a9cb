"""`aside doctor`: looks at both servers and the service, judges what it saw, and says what to do. It writes nothing."""
