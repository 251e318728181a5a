"""A second pytest beside this one: the app of another commit under the tests of now (`--genai-baseline run:REF`)."""
