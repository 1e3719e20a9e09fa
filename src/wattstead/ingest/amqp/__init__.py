"""RabbitMQ as a source: queues of JSON with one reading a message."""
