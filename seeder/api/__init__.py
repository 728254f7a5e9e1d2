"""The REST API: who asks, what they may see, one service call, one serializer."""
