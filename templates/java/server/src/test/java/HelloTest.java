/** Run by: javac -d target/test src/main/java/Hello.java src/test/java/HelloTest.java && java -ea -cp target/test HelloTest */
public final class HelloTest {
    public static void main(String[] args) {
        assert Hello.greeting("/you").equals("Hello, you!\n");
        assert Hello.greeting("/").equals("Hello, world!\n");
    }
}
