"""What a worker does only on Amazon ECS."""
