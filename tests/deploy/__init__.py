"""What is shipped beside the program: units, containers, documents."""
