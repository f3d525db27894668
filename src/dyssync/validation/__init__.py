"""A bundle judged on patients of another place, whom none of its models has seen."""
